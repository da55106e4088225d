import FeatureCatalog
import GRDB
import TestSupport
import Testing

/// Single edits after which a catalog contradicts itself, although all constraints of its tables hold.
@Suite struct ContradictionTests {
    private let directory: MemoryDirectory
    private let path: String

    init() throws {
        directory = try MemoryDirectory()
        path = directory.file("a.catalog")
        let sample = try SampleCatalog(at: path)
        try sample.catalog.write(
            logits: [FeatureLogit.Direction.promoted, .suppressed].flatMap { direction in
                (0..<3).map { rank in
                    let value = 1 - Float(rank) / 4
                    return FeatureLogit(
                        featureIndex: 3, direction: direction, rank: rank, tokenID: 10 + rank,
                        value: direction == .promoted ? value : -value)
                }
            }, dictionaryID: sample.dictionaryID)
        // −1 … 1 of the 50 tokens.
        let histogram = try #require(
            LinearHistogram(exponent: -7, firstBin: -128, counts: [1] + Array(repeating: 0, count: 255) + [49]))
        try sample.catalog.write(logitHistograms: [(3, histogram)], dictionaryID: sample.dictionaryID)
        try sample.catalog.write(
            neighbors: (0..<3).map {
                FeatureNeighbor(featureIndex: 3, rank: $0, neighborIndex: 4 + $0, cosine: 0.5 - Float($0) / 8)
            }, dictionaryID: sample.dictionaryID)
        #expect(try sample.catalog.verify() == [])
        try sample.catalog.close()
    }

    @Test(
        "Contradictions are named",
        arguments: [
            // Models and dictionaries.
            ("UPDATE language_model SET n_layers = 9", "language_model tiny: n_layers is 9"),
            ("UPDATE language_model SET d_model = 7", "d_model is 7, and its config says hidden_size 6"),
            ("UPDATE language_model SET vocab_size = 49", "vocab_size is 49"),
            ("UPDATE language_model SET n_layers = 5, config = '{}'", "reads layer 5, and its model tiny has 5 layers"),
            ("UPDATE token SET text = 'x' WHERE token_id = 7", "token 7 of model 1"),
            ("UPDATE dictionary SET architecture = 'crosscoder'", "tensor decoder has the shape [40,6], not [40,24]"),
            ("UPDATE dictionary SET architecture = 'mlsae'", "a mlsae has no tensor router"),
            ("UPDATE dictionary SET architecture = 'topk'", "a topk reads one layer, not 4"),
            ("UPDATE dictionary SET layers = '[]'", "layers [] are not ascending"),
            ("UPDATE dictionary SET layers = '[2,4,3,5]'", "layers [2,4,3,5] are not ascending"),
            ("UPDATE dictionary SET layers = '[2,3,5]'", "tensor router has the shape [4,6], not [3,6]"),
            ("UPDATE dictionary SET d_model = 5", "dictionary main: d_model is 5"),
            ("UPDATE dictionary SET n_latents = 41", "tensor encoder has the shape [40,6], not [41,6]"),
            ("UPDATE dictionary SET k = 41", "k is 41"),
            ("UPDATE dictionary SET k = NULL, selection = NULL", "a route has a k"),
            ("UPDATE dictionary SET selection = 'group_max'", "keeps latents by activation, not by group_max"),
            (
                "UPDATE dictionary SET architecture = 'topk', layers = '[2]', k = 7, selection = 'group_max'",
                "40 latents are no 7 groups"
            ),
            ("UPDATE dictionary_tensor SET name = 'x' WHERE name = 'decoder'", "a tensor decoder, which is missing"),
            // Features.
            ("UPDATE feature SET decoder_norm = 0 WHERE feature_index = 3", "decoder_norm is 0.0"),
            ("UPDATE feature SET decoder_norm = 1.001 WHERE feature_index = 3", "decoder_norm is 1.001"),
            ("UPDATE feature SET p50 = -5, p10 = 99 WHERE feature_index = 3", "do not ascend"),
            ("UPDATE feature SET p99 = 5.5 WHERE feature_index = 3", "do not ascend"),
            ("UPDATE feature SET min_activation = 0.3 WHERE feature_index = 3", "do not ascend"),
            ("UPDATE feature SET max_activation = 1000 WHERE feature_index = 3", "max_activation is 1000.0"),
            (
                "UPDATE feature SET mean_activation = 12345 WHERE feature_index = 3",
                "mean_activation is 12345.0, outside"
            ),
            ("UPDATE feature SET mean_activation = 0.5 WHERE feature_index = 3", "is not sum_activation / n_fired"),
            ("UPDATE feature SET std_activation = 2 WHERE feature_index = 3", "std_activation"),
            ("UPDATE feature SET sum_square = 1e6 WHERE feature_index = 3", "std_activation"),
            ("UPDATE feature SET n_documents = 6 WHERE feature_index = 3", "n_documents is 6"),
            ("UPDATE feature SET n_documents = 0 WHERE feature_index = 3", "n_documents is 0"),
            ("UPDATE feature SET histogram = '[1,2,3,4]' WHERE feature_index = 3", "does not add up to n_fired"),
            ("UPDATE feature SET histogram = '[1,2]' WHERE feature_index = 3", "histogram has 2 bins"),
            ("UPDATE feature SET histogram = '[1,x]' WHERE feature_index = 3", "not a JSON array of counts"),
            ("UPDATE feature SET mean_activation = 1 WHERE feature_index = 9", "it never fired, and yet"),
            ("UPDATE feature SET max_activation = NULL WHERE feature_index = 3", "it fired, and yet"),
            ("UPDATE indexing SET histogram_edges = '[0,2,1,3,10]'", "histogram_edges do not ascend"),
            // Layers.
            (
                "UPDATE feature_layer SET sum_activation = -5 WHERE feature_index = 3 AND layer = 4",
                "sum_activation of layer 4"
            ),
            (
                "UPDATE feature_layer SET max_activation = -1 WHERE feature_index = 3 AND layer = 4",
                "that of its layers"
            ),
            (
                "UPDATE feature_layer SET n_fired = 200 WHERE feature_index = 3 AND layer = 4",
                "do not add up to n_fired"
            ),
            ("UPDATE feature_layer SET layer = 7 WHERE feature_index = 3 AND layer = 4", "fires at layer 7"),
            (
                "UPDATE feature_layer SET sum_router_weight = 999 WHERE feature_index = 3 AND layer = 4",
                "sum_router_weight of layer 4"
            ),
            // What is listed.
            ("UPDATE feature_neighbor SET neighbor_index = 40 WHERE rank = 1", "neighbor_index is 40"),
            ("UPDATE feature_neighbor SET neighbor_index = 3 WHERE rank = 1", "its own neighbour"),
            ("UPDATE feature_neighbor SET rank = 5 WHERE rank = 1", "rank 2 stands where 1 should"),
            ("UPDATE feature_neighbor SET cosine = 0.75 WHERE rank = 1", "cosine is not in the order"),
            ("UPDATE feature_neighbor SET feature_index = 40", "the dictionary has 40 latents"),
            ("UPDATE feature_logit SET token_id = 50 WHERE rank = 1", "token_id is 50"),
            (
                "UPDATE feature_logit SET value = 2 WHERE rank = 1 AND direction = 'promoted'",
                "value is not in the order"
            ),
            (
                "UPDATE feature_logit SET value = -2 WHERE rank = 1 AND direction = 'suppressed'",
                "value is not in the order"
            ),
            // Histograms of equal bins.
            (
                "UPDATE feature_linear_histogram SET counts = '[1]' WHERE feature_index = 3",
                "feature_linear_histogram has wider bins"
            ),
            (
                "UPDATE feature_linear_histogram SET counts = '[x]' WHERE feature_index = 3",
                "feature_linear_histogram is not one of equal bins"
            ),
            (
                "UPDATE feature_linear_histogram SET bin_width = 0.3 WHERE feature_index = 3",
                "feature_linear_histogram is not one of equal bins"
            ),
            (
                "UPDATE feature_linear_histogram SET bin_width = 9e999 WHERE feature_index = 3",
                "feature_linear_histogram is not one of equal bins"
            ),
            (
                "UPDATE feature_linear_histogram SET counts = replace(counts, ',0,1]', ',1,1]') WHERE feature_index = 3",
                "feature_linear_histogram adds up to"
            ),
            (
                "UPDATE feature_linear_histogram SET first_bin = first_bin - 100 WHERE feature_index = 3",
                "feature_linear_histogram"
            ),
            (
                "UPDATE feature_linear_histogram SET first_bin = first_bin + 1 WHERE feature_index = 3",
                "feature_linear_histogram does not begin at"
            ),
            (
                "UPDATE feature_linear_histogram SET counts = replace(counts, ',1]', ',0,1]') WHERE feature_index = 3",
                "feature_linear_histogram does not end at"
            ),
            (
                """
                INSERT INTO feature_linear_histogram
                SELECT dictionary_id, 9, corpus_id, bin_width, first_bin, counts FROM feature_linear_histogram
                WHERE feature_index = 3
                """, "feature_linear_histogram adds up to"
            ),
            (
                "UPDATE feature_logit_histogram SET counts = replace(counts, '49', '50')",
                "feature_logit_histogram of feature 3 of dictionary 1: adds up to 51"
            ),
            ("UPDATE feature_logit_histogram SET first_bin = -127", "feature_logit_histogram of feature 3"),
            ("UPDATE feature_logit_histogram SET bin_width = 0.5", "does not begin at -1.0"),
            ("UPDATE feature_logit_histogram SET feature_index = 40", "the dictionary has 40 latents"),
            ("UPDATE feature_cofiring SET other_index = 40 WHERE feature_index = 3 AND rank = 1", "other_index is 40"),
            ("UPDATE feature_cofiring SET other_index = 3 WHERE feature_index = 3 AND rank = 1", "with itself"),
            ("UPDATE feature_cofiring SET rank = 7 WHERE feature_index = 3 AND rank = 1", "co-firing rank"),
            ("UPDATE feature_cofiring SET lift = 9e999 WHERE feature_index = 3 AND rank = 1", "lift of feature"),
            ("UPDATE feature_token SET n_fired = 99999 WHERE feature_index = 3", "token classes have more firings"),
            ("UPDATE feature_token SET activation_1 = 99 WHERE feature_index = 3", "a token class has 99.0"),
            // Contexts.
            ("UPDATE feature_context SET layer = 7 WHERE feature_index = 3", "one is of layer 7"),
            ("UPDATE feature_context SET router_weight = 1.5 WHERE feature_index = 3", "a router_weight is 1.5"),
            ("UPDATE feature_context SET router_weight = 0.1 WHERE feature_index = 3", "a router_weight is 0.1"),
            ("UPDATE feature_context SET activation = 77 WHERE feature_index = 3 AND band = 1", "one has 77.0"),
            (
                "UPDATE feature_context SET activation = 3 WHERE feature_index = 3 AND band = 0 AND rank = 0",
                "the strongest has 3.0"
            ),
            (
                "UPDATE feature_context SET rank = 9 WHERE feature_index = 3 AND band = 1 AND rank = 1",
                "rank 2 stands where 1"
            ),
            // What follows from all of them.
            ("UPDATE indexing SET mean_layer_entropy = -1e308", "mean_layer_entropy is"),
            ("UPDATE indexing SET mean_active_per_token = 3", "mean_active_per_token is 3.0"),
            ("UPDATE indexing SET n_alive = NULL", "n_alive is"),
            (
                "UPDATE layer_routing SET n_features = 77 WHERE layer = 4",
                "layer_routing of dictionary 1, run 2: layer 4"
            ),
            ("UPDATE layer_routing SET n_peak_features = 77 WHERE layer = 4", "layer 4 has"),
            ("UPDATE layer_routing SET sum_activation = 1 WHERE layer = 4", "layer 4 has"),
            ("UPDATE layer_routing SET max_activation = NULL WHERE layer = 4", "layer 4 has"),
            ("UPDATE layer_routing SET mean_router_weight = 2 WHERE layer = 4", "mean_router_weight of layer 4"),
            ("UPDATE layer_routing SET layer = 7 WHERE layer = 5", "layer 7 is none that the dictionary reads"),
            // Rows without a parent, which are counted on the way.
            (
                "PRAGMA foreign_keys = OFF; UPDATE feature_layer SET feature_index = 44 WHERE feature_index = 3",
                "feature_layer: "
            ),
            (
                "PRAGMA foreign_keys = OFF; UPDATE feature_linear_histogram SET corpus_id = 9 WHERE feature_index = 38",
                "feature_linear_histogram: "
            ),
            (
                "PRAGMA foreign_keys = OFF; UPDATE feature_token SET corpus_id = 9 WHERE feature_index = 38",
                "feature_token: "
            ),
        ])
    func contradictionsAreNamed(sql: String, reason: String) throws {
        try edit(sql)
        let problems = try Catalog.open(at: path, mode: .readOnly).verify(limit: 1000)
        #expect(problems.contains { $0.description.contains(reason) }, "\(problems)")
    }

    @Test func anIndexWithoutARowIsFound() throws {
        try edit(
            """
            PRAGMA writable_schema = ON;
            UPDATE sqlite_schema SET sql = sql || ' WHERE feature_index <> 3' WHERE name = 'feature_token_by_class';
            """)
        try edit("REINDEX feature_token_by_class")
        try edit(
            """
            PRAGMA writable_schema = ON;
            UPDATE sqlite_schema SET sql = replace(sql, ' WHERE feature_index <> 3', '')
            WHERE name = 'feature_token_by_class';
            """)
        let problems = try Catalog.open(at: path, mode: .readOnly).verify()
        #expect(
            problems.map(\.place) == ["file"] && problems[0].reason.contains("feature_token_by_class"), "\(problems)")
    }

    /// Runs statements that no trigger looks at.
    private func edit(_ sql: String) throws {
        let queue = try DatabaseQueue(path: path)
        try queue.writeWithoutTransaction { database in try database.execute(sql: sql) }
        try queue.close()
    }
}
