import ActivationPipeline
import FeatureCatalog
import FeatureMaps
import Indexing
import LinearAlgebra

/// A dictionary's features in a plane: similar decoder vectors lie together.
///
/// Neighbours are those that indexing listed, or, where it listed none, those of the decoder. The bits depend on the
/// catalog alone.
struct FeatureMap: Sendable {
    /// A feature on the map.
    struct Point: Sendable {
        /// The feature.
        let feature: Int
        /// Its place, 0…`side`, from the left and from the top.
        let x: Int
        let y: Int
        /// The layer in which it fires most; nil if unknown.
        let layer: Int?
        /// The share of tokens on which it fires.
        let rate: Double
        /// Its largest activation; 0 if it never fired.
        let maximum: Double
        /// Its explanation, or the token on which it fires most.
        let name: String
        /// Whether the name is an explanation.
        let isExplained: Bool

        /// Its size, 0 for features that fire on fewer than 3 tokens of 100,000, or never, to 4 for 3 of 100 or more.
        var size: Int { rate > 0.03 ? 4 : rate > 0.003 ? 3 : rate > 0.0003 ? 2 : rate > 0.00003 ? 1 : 0 }
    }

    /// Features on a map; of more, those that fire most often.
    static let most = 32_768
    /// Features of ``sample``, at 12 bytes each in the page.
    static let mostSampled = 5000
    /// Features of ``strongest``.
    private static let strongestCount = 15
    /// The side of the square.
    static let side = 10_000
    /// Characters of a name.
    private static let longestName = 160
    /// Neighbours of a feature where none are listed.
    private static let neighborCount = 10

    /// The features that have a place, by number.
    let points: [Point]
    /// Those that a page's drawing has, by number: of more, every so many-th in the order of their rates, so that each
    /// layer and size keeps its share.
    let sample: [Point]
    /// Those with the largest activations, largest first.
    let strongest: [Point]
    /// The layers read.
    let layers: [Int]
    /// Their colours; nil where all features have one: a dictionary of one layer, or one without a peak layer.
    let scale: LayerScale?
    /// Features of the dictionary.
    let featureCount: Int

    /// Computes the map.
    ///
    /// - Throws: `CatalogError`; `WorkflowError.refused` where the decoder does not fit into memory.
    init(of index: IndexedDictionary, in catalog: Catalog, workers: Workers) throws {
        let record = index.record
        (layers, featureCount) = (record.layers.sorted(), record.latentCount)
        let described = try Self.described(index, in: catalog)
        let decoder = try Self.decoder(of: record, described.map(\.feature), in: catalog)
        let pairs = try Self.pairs(of: record, described.map(\.feature), decoder, in: catalog, workers)

        // A feature without neighbours would be pushed away by all others and pulled by none.
        let joined = Set(pairs.flatMap { [$0.feature, $0.neighbor] }).sorted()
        let places = Dictionary(uniqueKeysWithValues: joined.enumerated().map { ($1, $0) })
        let graph = NeighborGraph(
            count: joined.count,
            pairs: pairs.compactMap { pair in
                places[pair.feature].flatMap { feature in places[pair.neighbor].map { (feature, $0) } }
            })
        let plane = PrincipalPlane(of: decoder, workers: workers)
        let start = Matrix(rows: 2, columns: joined.count)
        for (place, feature) in joined.enumerated() {
            for axis in 0..<2 { start[axis, place] = plane.coordinates[axis, feature] }
        }
        let positions = PlaneLayout(graph).positions(from: start, workers: workers)
        let across = Self.scaled(positions)
        let points = joined.enumerated().map { place, feature in
            let known = described[feature]
            return Point(
                feature: known.feature, x: across[place].x, y: across[place].y, layer: known.layer, rate: known.rate,
                maximum: known.maximum, name: known.name, isExplained: known.isExplained)
        }
        self.points = points
        scale = layers.count > 1 && points.contains { $0.layer != nil } ? LayerScale(layers) : nil
        sample = Self.sample(of: points)
        strongest = Array(
            points.filter { $0.maximum > 0 }.sorted { ($0.maximum, $1.feature) > ($1.maximum, $0.feature) }
                .prefix(Self.strongestCount))
    }

    private static func sample(of points: [Point]) -> [Point] {
        guard points.count > mostSampled else { return points }
        let ordered = points.sorted { ($0.rate, $1.feature) > ($1.rate, $0.feature) }
        return (0..<mostSampled).map { ordered[$0 * points.count / mostSampled] }.sorted { $0.feature < $1.feature }
    }

    /// What is known of each feature on the map, by number; the places are still 0.
    private static func described(_ index: IndexedDictionary, in catalog: Catalog) throws -> [Point] {
        let known = try SummaryColumns(of: catalog)
        var listing = FeatureListing(key: index.key)
        listing.columns = try [
            "feature_index", "explanation", "top_token", "max_activation", "peak_layer", "firing_rate",
        ].map { try known.named($0) }
        let points = try listing.rows(in: catalog).result.rows.compactMap { row -> Point? in
            guard let feature = row[0].wholeNumber, (0..<index.record.latentCount).contains(feature) else { return nil }
            let name = row[1].string ?? row[2].string ?? ""
            return Point(
                feature: feature, x: 0, y: 0, layer: row[4].wholeNumber, rate: row[5].number ?? 0,
                maximum: row[3].number ?? 0, name: TokenText.shown(String(name.prefix(longestName))),
                isExplained: row[1].string != nil)
        }
        let chosen =
            points.count <= most
            ? points : Array(points.sorted { ($0.rate, $1.feature) > ($1.rate, $0.feature) }.prefix(most))
        return chosen.sorted { $0.feature < $1.feature }
    }

    /// The decoder rows of some features, `[features × D]`, row-major.
    private static func decoder(of record: DictionaryRecord, _ features: [Int], in catalog: Catalog) throws -> Matrix {
        let width = StoredDecoder.width(of: record)
        guard features.count < record.latentCount else { return try StoredDecoder(of: record, in: catalog).matrix }
        try MemoryBudget.machine.check(
            floats: Double(features.count) * Double(width), for: "the decoder of \"\(record.name)\"",
            advice: "use a machine with more")
        let matrix = Matrix(rows: features.count, columns: width)
        let slice = Matrix(rows: 1024, columns: width)
        var next = 0
        for first in stride(from: 0, to: record.latentCount, by: slice.rows) {
            let rows = first..<min(first + slice.rows, record.latentCount)
            try catalog.read("decoder", of: record.dictionaryID, rows: rows, width: width, into: slice.pointer)
            while next < features.count, features[next] < rows.upperBound {
                matrix.row(next).update(from: slice.row(features[next] - first), count: width)
                next += 1
            }
        }
        return matrix
    }

    /// Neighbours as places among the features.
    private static func pairs(
        of record: DictionaryRecord, _ features: [Int], _ decoder: Matrix, in catalog: Catalog, _ workers: Workers
    ) throws -> [(feature: Int, neighbor: Int)] {
        let places = Dictionary(uniqueKeysWithValues: features.enumerated().map { ($1, $0) })
        let listed = try catalog.neighborPairs(dictionaryID: record.dictionaryID).compactMap { pair in
            places[pair.feature].flatMap { feature in
                places[pair.neighbor].map { (feature: feature, neighbor: $0) }
            }
        }
        // Lists of a few features alone do not make a map.
        if Set(listed.map(\.feature)).count * 2 >= features.count { return listed }
        var pairs: [(feature: Int, neighbor: Int)] = []
        try NearestFeatures(decoder: decoder, workers: workers).compute(count: neighborCount) { neighbors in
            pairs += neighbors.map { ($0.featureIndex, $0.neighborIndex) }
        }
        return pairs
    }

    /// Positions in the square, the longer side of all filling it.
    private static func scaled(_ positions: Matrix) -> [(x: Int, y: Int)] {
        let m = positions.columns
        func ends(_ axis: Int) -> (low: Float, high: Float) {
            (0..<m).reduce((Float.infinity, -Float.infinity)) { ends, place in
                (min(ends.0, positions[axis, place]), max(ends.1, positions[axis, place]))
            }
        }
        let (across, up) = (ends(0), ends(1))
        let span = max(across.high - across.low, up.high - up.low)
        func place(_ value: Float, _ ends: (low: Float, high: Float)) -> Int {
            guard span > 0, span.isFinite, value.isFinite else { return side / 2 }
            let middle = (ends.low + ends.high) / 2
            return Int((((value - middle) / span + 0.5) * Float(side)).rounded())
        }
        return (0..<m).map { (place(positions[0, $0], across), place(positions[1, $0], up)) }
    }
}
