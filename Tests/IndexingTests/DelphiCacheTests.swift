import ActivationPipeline
import FeatureCatalog
import Foundation
import Indexing
import JSON
import LanguageModel
import LinearAlgebra
import Safetensors
import SparseCoding
import TestSupport
import Testing
import Tokenization
import Training
import WorkflowWorlds

/// The latents cache against a naive computation on the same text, one segment at a time.
@Suite struct DelphiCacheTests {
    private static let context = 48
    private static let texts = (0..<4).flatMap { number in DemoModel.texts.map { "\(number). \($0)" } }
    private let demo: DemoModel
    private let path: String

    init() throws {
        demo = try DemoModel()
        path = demo.directory.file("c.sqlite")
    }

    private func file(_ name: String) -> String { demo.directory.file(name) }

    private func trained(latents: Int = 33, layers: [Int] = [3, 4]) throws -> String {
        let text = try demo.text(Self.texts)
        try train(
            [
                TrainingSettings(
                    name: "d", model: DemoModel.path, text: [text], layers: layers, latents: latents, k: 4,
                    batchTokens: 64, steps: 4, context: Self.context, seed: 1)
            ], catalog: path)
        return text
    }

    @discardableResult
    private func index(
        _ text: String, cache: String?, tokens: Int? = nil, replacing: Bool = false,
        cancelled: @escaping () -> Bool = { false }
    ) throws -> IndexingRun.Result {
        let catalog = try Catalog.open(at: path, mode: .readWrite)
        defer { _ = try? catalog.close() }
        var run = IndexingRun(
            settings: IndexingSettings(
                model: DemoModel.path, modelName: "demo/model", text: [text], corpus: "stories",
                options: IndexingOptions(maximumTokens: tokens, context: Self.context, window: 16)),
            workers: Workers(threads: 2))
        run.batchTokens = 100
        run.delphiCache = cache
        return try run.run(on: catalog, replacing: replacing, cancelled: cancelled)
    }

    /// Layers that are no neighbours are named one by one.
    @Test func theFolderNamesTheLayers() throws {
        let text = try trained(layers: [1, 3, 4])
        try index(text, cache: file("latents"))
        #expect(try FileManager.default.contentsOfDirectory(atPath: file("latents")).contains("layers.1,3-4"))
    }

    /// All tokens as they are read, with the firings of each.
    private func expected() throws -> [(token: Int32, firings: [Int: Float])] {
        let catalog = try Catalog.open(at: path, mode: .readOnly)
        defer { _ = try? catalog.close() }
        let stored = try StoredDictionary(named: "d", in: catalog)
        let configuration = stored.configuration
        let encoder = DictionaryEncoder(
            configuration: configuration, weights: stored.weights, workers: Workers(threads: 1))
        let bos = try #require(demo.folder.tokenizer.bosTokenID)
        var all: [(token: Int32, firings: [Int: Float])] = []
        for text in Self.texts {
            let ids = demo.folder.tokenizer.encode(text, addSpecialTokens: false)
            for start in stride(from: 0, to: ids.count, by: Self.context - 1) {
                let own = Array(ids[start..<min(start + Self.context - 1, ids.count)])
                let streams = try demo.folder.model.residualStreams(
                    of: TokenBatch(sequences: [[bos] + own]), layers: configuration.layers)
                let batch = ActivationBatch(
                    capacity: own.count, layers: configuration.layers, dModel: DemoModel.width)
                batch.count = own.count
                batch.values.pointer.update(from: streams.values.row(1), count: batch.values.count)
                let routed = AutoencoderInput(capacity: own.count, configuration: configuration)
                try encoder.read(batch, into: routed)
                let latents = SparseLatents(capacity: own.count, configuration: configuration)
                encoder.encode(routed, count: own.count, into: latents)
                all.append((bos, [:]))
                for token in 0..<own.count {
                    var firings: [Int: Float] = [:]
                    for slot in 0..<Int(latents.counts[token]) where latents.activations(of: token)[slot] != 0 {
                        firings[Int(latents.indices(of: token)[slot])] = latents.activations(of: token)[slot]
                    }
                    all.append((own[token], firings))
                }
            }
        }
        return all
    }

    @Test func everyFiringIsInTheCache() throws {
        let text = try trained()
        try index(text, cache: file("latents"))
        let all = try expected()
        let sequences = all.count / 256
        try #require(sequences >= 2 && all.count % 256 > 0)
        let folder = file("latents") + "/layers.3-4"
        let names = ["0_5", "13_18", "19_25", "26_32", "6_12"].map { $0 + ".safetensors" } + ["config.json"]
        #expect(try FileManager.default.contentsOfDirectory(atPath: folder).sorted() == names.sorted())
        var count = 0
        for name in names.dropLast() {
            let cache = try SafetensorsFile(path: "\(folder)/\(name)")
            #expect(try cache.tensor("tokens").shape == [sequences, 256])
            #expect(try cache.integers("tokens") == all.prefix(256 * sequences).map { Int64($0.token) })
            let locations = try cache.integers("locations")
            let activations = try cache.floats("activations")
            #expect(try cache.tensor("locations").dtype == .u16 && cache.tensor("activations").dtype == .f16)
            #expect(locations.count == 3 * activations.count)
            let first = Int64(name.prefix { $0 != "_" }) ?? -1
            for (place, activation) in activations.enumerated() {
                let (sequence, position) = (Int(locations[3 * place]), Int(locations[3 * place + 1]))
                let latent = Int(locations[3 * place + 2] + first)
                let firing = try #require(all[256 * sequence + position].firings[latent])
                #expect(abs(firing - activation) < 2e-3 * abs(firing) + 1e-4)
            }
            count += activations.count
        }
        #expect(count == all.prefix(256 * sequences).reduce(0) { $0 + $1.firings.values.count { abs($0) > 1e-5 } })
        let config = try JSONParser.parse(Data(contentsOf: URL(filePath: folder + "/config.json")))
        #expect(config["model_name"] == .string("demo/model") && config["dataset_repo"] == .string("stories"))
        #expect(config["n_splits"] == .integer(5) && config["ctx_len"] == .integer(256))
        #expect(config["n_tokens"] == .integer(256 * sequences))
    }

    @Test func theIndexIsTheSameWithIt() throws {
        let text = try trained(latents: 4, layers: [3])
        var digests: [[String]] = []
        for cache in [nil, file("a"), file("b")] {
            try index(text, cache: cache, replacing: true)
            let catalog = try Catalog.open(at: path, mode: .readOnly)
            let key = try #require(try catalog.indexings(dictionaryID: 1).first).key
            digests.append(try catalog.contentDigests(of: key).map(\.sha256))
            try catalog.close()
        }
        #expect(digests[0] == digests[1] && digests[1] == digests[2])
        // Four latents make four files, the same every time.
        for name in (0..<4).map({ "layers.3/\($0)_\($0).safetensors" }) + ["layers.3/config.json"] {
            #expect(
                try Data(contentsOf: URL(filePath: file("a") + "/" + name))
                    == Data(contentsOf: URL(filePath: file("b") + "/" + name)), "\(name)")
        }
    }

    @Test func aRefusalLeavesNeitherIndexNorFolder() throws {
        let text = try trained(latents: 8, layers: [3])
        try FileManager.default.createDirectory(atPath: file("there"), withIntermediateDirectories: false)
        #expect(throws: WorkflowError.self) { try index(text, cache: file("there")) }
        #expect(throws: WorkflowError.self) { try index(text, cache: file("nowhere/cache")) }
        #expect { try index(text, cache: file("short"), tokens: 100) } throws: { "\($0)".contains("index more text") }
        #expect(throws: WorkflowError.self) { try index(text, cache: file("stopped"), cancelled: { true }) }
        let left = try FileManager.default.contentsOfDirectory(atPath: demo.directory.path)
        #expect(left.filter { $0.hasPrefix("short") || $0.hasPrefix("stopped") || $0.hasPrefix("nowhere") } == [])
        #expect(try FileManager.default.contentsOfDirectory(atPath: file("there")) == [])
        let catalog = try Catalog.open(at: path, mode: .readOnly)
        #expect(try catalog.indexings(dictionaryID: 1).isEmpty)
    }
}
