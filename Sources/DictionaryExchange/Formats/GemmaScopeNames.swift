import JSON

/// What the names of repository and folders say about a dictionary of Gemma Scope:
/// `gemma-scope-2b-pt-res/layer_20/width_16k/average_l0_71` or, of the second release,
/// `gemma-scope-2-270m-pt/resid_post/layer_5_width_16k_l0_small`.
struct GemmaScopeNames {
    /// The folders that count: from the repository's on, if it is among them, otherwise the last four.
    private let folders: [String]
    /// The repository, as far as the path shows it.
    let repository: String?

    /// Reads the path of a weight file.
    init(_ path: String) {
        let names = PathNames(path)
        let all = Array(names.components.dropLast())
        let start = all.lastIndex { $0.contains("gemma-scope-") }
        folders = Array(all[(start ?? max(all.count - 4, 0))...])
        repository = names.repository ?? start.map { all[$0] }
    }

    /// The repository's own name.
    private var release: String? {
        repository.flatMap { $0.split(separator: "/").last.map(String.init) }
            .flatMap { $0.hasPrefix("gemma-scope-") ? $0 : nil }
    }

    /// The layer, from a folder `layer_L` or `layer_L_…`.
    var layer: Int? {
        for folder in folders.reversed() where folder.hasPrefix("layer_") {
            let number = folder.dropFirst("layer_".count).prefix { $0.isNumber }
            if let layer = HookPoint.number(number) { return layer }
        }
        return nil
    }

    /// A folder that says the dictionary reads another place than the residual stream; nil without one.
    var foreignPlace: (folder: String, what: String)? {
        for folder in folders {
            let words = Set(folder.lowercased().split { !$0.isLetter })
            if !words.isDisjoint(with: ["transcoder", "transcoders", "clt"]) {
                return (folder, "and writes different places (a transcoder)")
            }
            if !words.isDisjoint(with: ["att", "attn"]) { return (folder, "the attention of a layer") }
            if words.contains("mlp") { return (folder, "the MLP of a layer") }
            if words.contains("embedding") { return (folder, "the embedding") }
        }
        return nil
    }

    /// The language model that the repository's name stands for.
    var modelName: String? {
        guard let release else { return nil }
        let parts = release.split(separator: "-").dropFirst(2)
        guard let size = parts.first, parts.count >= 2, size != "2" else { return nil }
        // Base models of Gemma 2 have no suffix.
        let suffix = parts.dropFirst().first == "it" ? "-it" : ""
        return "google/gemma-2-\(size)\(suffix)"
    }

    /// The model on the hub that a configuration calls, for example, `gemma-v3-270m-pt`.
    static func model(named name: String) -> String {
        var parts = name.split(separator: "-").map { $0 == "v3" ? "3" : String($0) }
        // The smallest base model has no suffix on the hub.
        if parts.contains("270m"), parts.last == "pt" { parts.removeLast() }
        let model = parts.joined(separator: "-")
        return model.contains("/") ? model : "google/" + model
    }

    /// The release and the folders, for the record.
    var details: [JSONObject.Member] {
        var members: [JSONObject.Member] = []
        if let release { members.append(.init(name: "release", value: .string(release))) }
        for folder in folders {
            if folder.hasPrefix("width_") { members.append(.init(name: "width", value: .string(folder))) }
            if folder.hasPrefix("average_l0_") {
                let number = Int(folder.dropFirst("average_l0_".count))
                members.append(.init(name: "average_l0", value: number.map { .integer($0) } ?? .string(folder)))
            }
        }
        return members
    }

    /// A name that tells apart the dictionaries of a release: its folders from `layer_…` on.
    var dictionaryName: String? {
        guard let start = folders.lastIndex(where: { $0.hasPrefix("layer_") }) else { return nil }
        return PathNames.clean(([release].compactMap { $0 } + folders[start...]).joined(separator: "-"))
    }
}
