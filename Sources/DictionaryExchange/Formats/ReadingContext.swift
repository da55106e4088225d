/// What a person asked for, while one of the places found is read.
struct ReadingContext {
    /// The request.
    let request: ForeignRequest
    /// Whether other dictionaries were found beside this one; `--layer` then chooses among them and fills in nothing.
    let isOneOfSeveral: Bool

    /// The decoder layer of a dictionary of one layer.
    ///
    /// - Parameters:
    ///   - said: what the files say.
    ///   - file: the file or folder that says it, or that might.
    /// - Throws: `.notSaid` without any, `.contradiction` if the option says another.
    func layer(_ said: Int?, in file: String) throws(ForeignDictionaryError) -> Int {
        guard let said else {
            if isOneOfSeveral {
                throw ForeignDictionaryError(
                    .notSaid, file, "does not say which layer it reads; import it alone, with `layer`")
            }
            guard let layers = request.layers else {
                throw ForeignDictionaryError(.notSaid, file, "does not say which layer it reads; add `layer`")
            }
            guard layers.count == 1 else {
                throw ForeignDictionaryError(
                    .contradiction, file, "reads one layer; expected one `layer`, found \(layers.count)")
            }
            return layers[0]
        }
        if !isOneOfSeveral, let layers = request.layers, layers != [said] {
            throw ForeignDictionaryError(
                .contradiction, file, "reads layer \(said), `layer` says \(Self.list(layers)); leave `layer` out")
        }
        return said
    }

    /// Checks that the option names the layers of a dictionary of several, if it names any.
    ///
    /// - Throws: `.contradiction`.
    func check(layers said: [Int], in file: String) throws(ForeignDictionaryError) {
        guard !isOneOfSeveral, let layers = request.layers, layers != said else { return }
        let (there, asked) = (Self.list(said), Self.list(layers))
        throw ForeignDictionaryError(
            .contradiction, file, "reads layers \(there), `layers` says \(asked); leave `layers` out")
    }

    private static func list(_ layers: [Int]) -> String { layers.map(String.init).joined(separator: ",") }

    /// The layer that a hook point names.
    ///
    /// - Parameter key: the key of the configuration that names it.
    /// - Throws: `.refused` for a place that is no decoder layer's output, and as `layer(_:in:)` without a name.
    func layer(ofHook name: String?, key: String, in file: String) throws(ForeignDictionaryError) -> Int {
        guard let name else { return try layer(nil, in: file) }
        switch HookPoint(name) {
        case .layer(let layer): return try self.layer(layer, in: file)
        case .elsewhere(let place):
            throw ForeignDictionaryError(
                .refused, file,
                "key \(key.quoted) is \(name.quoted): it reads \(place); only dictionaries of the residual stream "
                    + "behind a decoder layer can be imported")
        case .unknown:
            throw ForeignDictionaryError(
                .refused, file,
                "key \(key.quoted) is \(name.quoted), which is not known here; expected a name such as "
                    + "blocks.3.hook_resid_post or model.layers.3")
        }
    }

    /// The number of active latents.
    ///
    /// - Parameter said: what the files say.
    /// - Throws: `.notSaid` without any, `.contradiction` if the option says another.
    func k(_ said: Int?, in file: String) throws(ForeignDictionaryError) -> Int {
        guard let said else {
            guard let k = request.k else {
                throw ForeignDictionaryError(
                    .notSaid, file, "does not say how many latents are active; add `k`")
            }
            return k
        }
        if let k = request.k, k != said {
            throw ForeignDictionaryError(.contradiction, file, "has k = \(said), `k` says \(k); leave `k` out")
        }
        return said
    }

    /// The number of active latents, with what the program takes where its file says none.
    ///
    /// - Returns: k, and a remark if it is the program's own.
    /// - Throws: `.contradiction` if the option says another than the file.
    func k(
        _ said: Int?, orOf program: String, _ own: Int, in file: String
    ) throws(ForeignDictionaryError) -> (k: Int, remark: String?) {
        if said != nil || request.k != nil { return (try k(said, in: file), nil) }
        return (own, "\(file): key \"k\" is missing; \(own) is taken for it, as in \(program)")
    }

    /// Checks that no k was given for a dictionary that has none.
    ///
    /// - Throws: `.contradiction`.
    func checkNoK(_ kind: String, in file: String) throws(ForeignDictionaryError) {
        if let k = request.k {
            throw ForeignDictionaryError(
                .contradiction, file, "\(kind) has no fixed number of active latents, `k` says \(k); leave `k` out")
        }
    }
}
