import JSON
import SparseCoding
import Vocabulary

/// An export of one routed dictionary for SAELens: a folder `routed` with the whole of it, and beside it, in most, a
/// folder `layer_L` for each layer with the same weights.
struct RoutedExport {
    /// The folder that holds them.
    let folder: String
    /// The place of the whole dictionary.
    let routed: ForeignPlace
    /// The layers it routes over.
    let layers: [Int]
    /// The places of single layers, in the order of the layers.
    let single: [ForeignPlace]

    /// Keeps of each export what is meant, so that no weights are imported twice: the whole dictionary, or the single
    /// layers that the request names.
    ///
    /// - Returns: the places that remain, in their order, and a remark for each export of which layers were left out.
    static func meant(
        _ places: [ForeignPlace], _ request: ForeignRequest
    ) -> (places: [ForeignPlace], remarks: [String]) {
        var (left, remarks): (Set<String>, [String]) = ([], [])
        for place in places {
            guard let export = RoutedExport(place, among: places), !export.single.isEmpty else { continue }
            if let asked = request.layers, asked != export.layers {
                left.insert(export.routed.path)
            } else {
                left.formUnion(export.single.map(\.path))
                remarks.append(
                    "\(export.folder): left out \(export.single.count) folders of single layers, which hold the same "
                        + "weights as routed; `layer` \(export.layers[0]) or the folder's own path imports one")
            }
        }
        return (places.filter { !left.contains($0.path) }, remarks)
    }

    /// Recognises an export by its whole dictionary; nil for any other place.
    private init?(_ place: ForeignPlace, among places: [ForeignPlace]) {
        guard place.format == .saelens, place.path.hasSuffix("/routed"),
            let file = try? ConfigurationFile(path: place.path + "/cfg.json"), RoutedSAELensReader.recognises(file),
            let layers = try? RoutedSAELensReader.layers(file), let origin = Self.origin(file)
        else { return nil }
        let folder = String(place.path.dropLast("/routed".count))
        self.folder = folder
        routed = place
        self.layers = layers
        let paths = layers.map { folder + "/layer_\($0)" }
        let beside = Set(paths)
        let found = Dictionary(
            uniqueKeysWithValues: places.filter { beside.contains($0.path) && $0.format == .saelens }.map {
                ($0.path, $0)
            })
        single = paths.compactMap { found[$0] }.filter { place in
            (try? ConfigurationFile(path: place.path + "/cfg.json")).flatMap(Self.origin) == origin
        }
    }

    /// What an export says of the dictionary it is of: name and layers; nil for a file that no export wrote.
    private static func origin(_ file: ConfigurationFile) -> [JSONValue]? {
        guard let metadata = try? file.object("metadata"), metadata[RecordedInput.versionKey] != nil,
            metadata["routesae_architecture"] == .string(Architecture.route.rawValue),
            let name = metadata["routesae_dictionary"], let layers = metadata["routesae_layers"]
        else { return nil }
        return [name, layers]
    }
}
