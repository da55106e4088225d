import Foundation

/// A file or folder that can be read as one dictionary, found by the names of files.
struct ForeignPlace: Equatable {
    /// The format that its files show.
    let format: ForeignFormat
    /// What its reader takes: the folder for `saelens`, `sparsify` and `llama-scope`, the weight file for the others.
    let path: String

    /// The levels of folders searched below the path given. A cached download of Gemma Scope needs five.
    static let maximumDepth = 6
    /// The most folders searched.
    static let maximumFolders = 20_000
    /// The most dictionaries found in one search.
    static let maximumPlaces = 1024

    /// Every place at a path, or in the folders below it, in the order of their paths.
    ///
    /// Folders that are a dictionary, and hidden ones, are not searched any further.
    ///
    /// - Throws: `.missing` without a file or folder; `.unrecognised` for too many.
    static func all(at path: String) throws(ForeignDictionaryError) -> [ForeignPlace] {
        var isFolder: ObjCBool = false
        guard FileManager.default.fileExists(atPath: path, isDirectory: &isFolder) else {
            throw ForeignDictionaryError(.missing, path, "no such file or folder")
        }
        guard isFolder.boolValue else { return ofFile(path).map { [$0] } ?? [] }
        var (found, waiting): ([ForeignPlace], [(path: String, depth: Int)]) = ([], [(path, 0)])
        var visited: Set<String> = []
        while let (folder, depth) = waiting.popLast() {
            // Links can lead to a folder twice, or back to one above.
            guard visited.insert(URL(filePath: folder).resolvingSymlinksInPath().path).inserted else { continue }
            let entries = try entries(of: folder)
            let here = places(in: folder, entries)
            found += here
            guard visited.count <= maximumFolders, found.count <= maximumPlaces else {
                throw ForeignDictionaryError(
                    .unrecognised, path,
                    "holds more than \(maximumPlaces) dictionaries or \(maximumFolders) folders; name a folder in it")
            }
            guard here.isEmpty, depth < maximumDepth else { continue }
            // The last is searched first.
            for entry in entries.reversed() where !entry.hasPrefix(".") {
                var isFolder: ObjCBool = false
                let inner = folder + "/" + entry
                if FileManager.default.fileExists(atPath: inner, isDirectory: &isFolder), isFolder.boolValue {
                    waiting.append((inner, depth + 1))
                }
            }
        }
        return found
    }

    /// Whether there is a file, and no folder, at a path.
    static func isFile(_ path: String) -> Bool {
        var isFolder: ObjCBool = false
        return FileManager.default.fileExists(atPath: path, isDirectory: &isFolder) && !isFolder.boolValue
    }

    private static func entries(of folder: String) throws(ForeignDictionaryError) -> [String] {
        do { return try FileManager.default.contentsOfDirectory(atPath: folder).sorted() } catch {
            throw ForeignDictionaryError(.missing, folder, "the folder cannot be read")
        }
    }

    /// The places in a folder itself.
    private static func places(in folder: String, _ entries: [String]) -> [ForeignPlace] {
        let names = Set(entries)
        if names.contains("sae_weights.safetensors") { return [ForeignPlace(format: .saelens, path: folder)] }
        if names.contains("sae.safetensors") { return [ForeignPlace(format: .sparsify, path: folder)] }
        if names.contains("ae.pt") { return [ForeignPlace(format: .dictionaryLearning, path: folder + "/ae.pt")] }
        for name in ["params.npz", "params.safetensors"] where names.contains(name) {
            return [ForeignPlace(format: .gemmaScope, path: folder + "/" + name)]
        }
        if names.contains("hyperparams.json"), names.contains("checkpoints") {
            return [ForeignPlace(format: .llamaScope, path: folder)]
        }
        let layers = entries.filter { QwenScopeReader.layer(named: $0) != nil }
        if !layers.isEmpty { return layers.map { ForeignPlace(format: .qwenScope, path: folder + "/" + $0) } }
        return names.contains("cfg.json") ? byConfiguration(folder) : []
    }

    /// A folder that has only `cfg.json`: its keys tell the format, so that the message can name the missing weights.
    private static func byConfiguration(_ folder: String) -> [ForeignPlace] {
        guard let file = try? ConfigurationFile(path: folder + "/cfg.json") else { return [] }
        if file["d_sae"] != nil { return [ForeignPlace(format: .saelens, path: folder)] }
        return file["num_latents"] == nil ? [] : [ForeignPlace(format: .sparsify, path: folder)]
    }

    /// What a file is, by its name or, for a weight file of another name, by the names of its tensors.
    private static func ofFile(_ path: String) -> ForeignPlace? {
        let url = URL(filePath: path)
        let folder = url.deletingLastPathComponent()
        let name = url.lastPathComponent
        switch name {
        case "sae_weights.safetensors": return ForeignPlace(format: .saelens, path: folder.path)
        case "sae.safetensors": return ForeignPlace(format: .sparsify, path: folder.path)
        case "cfg.json": return byConfiguration(folder.path).first
        case "hyperparams.json": return ForeignPlace(format: .llamaScope, path: folder.path)
        case "params.safetensors": return ForeignPlace(format: .gemmaScope, path: path)
        case "final.safetensors" where folder.lastPathComponent == "checkpoints":
            return ForeignPlace(format: .llamaScope, path: folder.deletingLastPathComponent().path)
        default: break
        }
        if QwenScopeReader.layer(named: name) != nil { return ForeignPlace(format: .qwenScope, path: path) }
        if name.hasSuffix(".npz") { return ForeignPlace(format: .gemmaScope, path: path) }
        if name == "ae.pt" || name.hasPrefix("ae_") && name.hasSuffix(".pt") {
            return ForeignPlace(format: .dictionaryLearning, path: path)
        }
        guard let file = try? WeightFileFormat.open(path), RouteSAEReader.recognises(file) else { return nil }
        return ForeignPlace(format: .routesaePyTorch, path: path)
    }
}
