import SparseCoding

/// The way into this module: what other programs left at a path.
package enum ForeignDictionaries {
    /// Finds the dictionaries at a path, a file or a folder, and checks them without reading their weights.
    ///
    /// The format is recognised by the names of files, and for a weight file of any name by those of its tensors. Where
    /// several dictionaries are found, the request's layers choose among them, and those that cannot be represented
    /// (other sites, transcoders) are left out with a remark, unless nothing remains.
    ///
    /// - Returns: the dictionaries, sorted by layer, then by name, each with a name of its own; at least one.
    /// - Throws: `ForeignDictionaryError`; `WeightFileError` for a damaged weight file.
    package static func find(at path: String, _ request: ForeignRequest) throws -> [ForeignDictionary] {
        let all = try places(at: path, request)
        try checkOptions(request, all[0].format, path)
        let (places, remarks) = RoutedExport.meant(all, request)
        let context = ReadingContext(request: request, isOneOfSeveral: places.count > 1)
        guard places.count > 1 else {
            var found = try read(places[0], context)
            found.suggestedName = name(of: places[0], below: nil)
            found.remarks += remarks
            return [found]
        }
        var found: [ForeignDictionary] = []
        var refusals: [ForeignDictionaryError] = []
        for place in places {
            do {
                var one = try read(place, context)
                one.suggestedName = name(of: place, below: path)
                found.append(one)
            } catch let error as ForeignDictionaryError where error.kind == .refused {
                refusals.append(error)
            }
        }
        if found.isEmpty, let first = refusals.first { throw first }
        found = try chosen(found, request, path)
        found.sort { ($0.configuration.layers[0], $0.suggestedName) < ($1.configuration.layers[0], $1.suggestedName) }
        tellApart(&found)
        found[0].remarks += refusals.map { "left out: \($0)" } + remarks
        return found
    }

    /// The places of the format that is asked for, or of the only one found.
    private static func places(
        at path: String, _ request: ForeignRequest
    ) throws(ForeignDictionaryError) -> [ForeignPlace] {
        let all = try ForeignPlace.all(at: path)
        let formats = ForeignFormat.allCases.filter { format in all.contains { $0.format == format } }
        let names = formats.map { "\($0.rawValue) (\($0.files))" }.joined(separator: " and ")
        if let asked = request.format {
            let places = all.filter { $0.format == asked }
            if !places.isEmpty { return places }
            // A state dict of any name: only the person can say whose it is.
            if all.isEmpty, asked == .qwenScope || asked == .routesaePyTorch, ForeignPlace.isFile(path) {
                return [ForeignPlace(format: asked, path: path)]
            }
            throw ForeignDictionaryError(
                all.isEmpty ? .unrecognised : .contradiction, path,
                "`from` \(asked.rawValue) looks for \(asked.files); found \(all.isEmpty ? "none" : names)")
        }
        guard formats.count < 2 else {
            throw ForeignDictionaryError(.unrecognised, path, "holds \(names); say which with `from`")
        }
        guard !all.isEmpty else {
            let known = ForeignFormat.allCases.map { "\($0.files) (\($0.rawValue))" }.joined(separator: "; ")
            throw ForeignDictionaryError(.unrecognised, path, "no dictionary found; looked for \(known)")
        }
        return all
    }

    /// Refuses options that only state dicts of RouteSAE need.
    private static func checkOptions(
        _ request: ForeignRequest, _ format: ForeignFormat, _ path: String
    ) throws(ForeignDictionaryError) {
        guard format != .routesaePyTorch else { return }
        let given = [
            request.architecture.map { _ in "`architecture`" }, request.routing.map { _ in "`routing`" },
            request.aggregation.map { _ in "`aggregation`" }, request.fidelity.map { _ in "`fidelity`" },
        ].compactMap { $0 }
        guard let option = given.first else { return }
        throw ForeignDictionaryError(
            .contradiction, path, "is in the format \(format.rawValue), which says that itself; leave \(option) out")
    }

    private static func read(_ place: ForeignPlace, _ context: ReadingContext) throws -> ForeignDictionary {
        switch place.format {
        case .saelens: try SAELensReader.read(place.path, context)
        case .sparsify: try SparsifyReader.read(place.path, context)
        case .dictionaryLearning: try DictionaryLearningReader.read(place.path, context)
        case .gemmaScope: try GemmaScopeReader.read(place.path, context)
        case .qwenScope: try QwenScopeReader.read(place.path, context)
        case .llamaScope: try LlamaScopeReader.read(place.path, context)
        case .routesaePyTorch: try RouteSAEReader.read(place.path, context)
        }
    }

    /// The dictionaries of the layers asked for.
    private static func chosen(
        _ found: [ForeignDictionary], _ request: ForeignRequest, _ path: String
    ) throws(ForeignDictionaryError) -> [ForeignDictionary] {
        guard let layers = request.layers else { return found }
        let kept = found.filter { one in
            let own = one.configuration.layers
            return own == layers || own.count == 1 && layers.contains(own[0])
        }
        let there = Set(kept.flatMap(\.configuration.layers))
        if let missing = layers.first(where: { !there.contains($0) }) {
            let all = Set(found.map(\.configuration.layers)).sorted { $0.lexicographicallyPrecedes($1) }
            let list = all.map { $0.map(String.init).joined(separator: " with ") }.joined(separator: ", ")
            throw ForeignDictionaryError(
                .contradiction, path, "has no dictionary of layer \(missing), which `layer` asks for; it has \(list)")
        }
        return kept
    }

    /// A name from the path; where several were found, from the folder given on.
    private static func name(of place: ForeignPlace, below root: String?) -> String {
        if place.format == .gemmaScope, let name = GemmaScopeNames(place.path).dictionaryName { return name }
        var path = place.path
        switch place.format {
        case .dictionaryLearning where path.hasSuffix("/ae.pt"), .gemmaScope: path = PathNames(path).folder
        case .dictionaryLearning, .qwenScope, .routesaePyTorch: path = PathNames(path).stem
        case .saelens, .sparsify, .llamaScope: break
        }
        guard let root = root.map(PathNames.init), let last = root.components.last else {
            return PathNames(path).dictionaryName
        }
        return PathNames.clean(([last] + PathNames(path).relative(to: root)).joined(separator: "-"))
    }

    /// Adds a number to names that occur before.
    private static func tellApart(_ found: inout [ForeignDictionary]) {
        var taken: Set<String> = []
        for index in found.indices {
            let name = found[index].suggestedName
            var number = 2
            while !taken.insert(found[index].suggestedName).inserted {
                found[index].suggestedName = "\(name)-\(number)"
                number += 1
            }
        }
    }
}
