import ActivationPipeline
import Evaluation
import FeatureCatalog
import Foundation
import LanguageModel
import LinearAlgebra
import Safetensors
import SparseCoding
import TestSupport
import Testing
import Vocabulary

/// Every figure of every architecture against PyTorch (tools/make_evaluation_goldens.py).
@Suite struct EvaluationGoldenTests {
    struct Goldens: Decodable {
        struct Case: Decodable {
            let name: String
            let architecture: Architecture
            let fidelity: Fidelity
            let routing: RoutingMode
            let aggregation: RouterAggregation
            let layers: [Int]
            let latents: Int
            let k: Int?
            let figures: [Figure]
        }

        struct Figure: Decodable {
            let metric: String
            let layer: Int?
            let value: Double?
            let tokens: Int

            init(from decoder: any Decoder) throws {
                var row = try decoder.unkeyedContainer()
                metric = try row.decode(String.self)
                layer = try row.decode(Int?.self)
                value = try row.decode(Double?.self)
                tokens = try row.decode(Int.self)
            }
        }

        let context: Int
        let bos: Int32
        let documents: [[Int32]]
        let cases: [Case]
    }

    private let goldens: Goldens
    private let weightsFile: SafetensorsFile

    init() throws {
        goldens = try JSONDecoder().decode(
            Goldens.self, from: Data(contentsOf: URL(filePath: fixture("evaluation/goldens.json"))))
        weightsFile = try SafetensorsFile(path: fixture("evaluation/weights.safetensors"))
    }

    private func configuration(_ golden: Goldens.Case) throws -> DictionaryConfiguration {
        try DictionaryConfiguration(
            architecture: golden.architecture, dModel: 64, latents: golden.latents, k: golden.k, layers: golden.layers,
            routing: golden.routing, aggregation: golden.aggregation, fidelity: golden.fidelity)
    }

    private func weights(_ golden: Goldens.Case) throws -> DictionaryWeights {
        let weights = DictionaryWeights(try configuration(golden))
        let names = [
            "router": "router.weight", "encoder": "encoder.weight", "decoder": "decoder.weight",
            "threshold": "log_threshold",
        ]
        for tensor in weights.tensors {
            let values = try weightsFile.floats("\(golden.name).\(names[tensor.name] ?? tensor.name)")
            let matrix = tensor.matrix
            matrix.update(
                from: tensor.name == "decoder"
                    ? Matrix(rows: matrix.columns, columns: matrix.rows, elements: values).transposed()
                    : Matrix(rows: matrix.rows, columns: matrix.columns, elements: values))
        }
        return weights
    }

    /// The segments, as a tokenizer's text would be cut.
    private var segments: [TokenSegment] {
        goldens.documents.enumerated().flatMap { document, tokens in
            stride(from: 0, to: tokens.count, by: goldens.context - 1).enumerated().map { index, start in
                TokenSegment(
                    document: document, index: index, start: start,
                    tokens: [goldens.bos] + tokens[start..<min(start + goldens.context - 1, tokens.count)], prefix: 1)
            }
        }
    }

    /// - Parameter pieces: segments of a batch.
    private func figures(threads: Int, pieces: Int, zeroEvery: Int = 1) throws -> [[EvaluationRecord]] {
        let workers = Workers(threads: threads)
        let model = try LanguageModel(directory: fixture("models/llama3"), workers: workers)
        let evaluations = try goldens.cases.enumerated().map { number, golden in
            DictionaryEvaluation(
                try configuration(golden), try weights(golden), dictionaryID: Int64(number), runID: 1, workers: workers)
        }

        let settings = EvaluationSettings(model: "", zeroEvery: zeroEvery, resamples: 200)
        let pass = EvaluationPass(evaluations, model: model, settings: settings, workers: workers)
        for start in stride(from: 0, to: segments.count, by: pieces) {
            try pass.read(Array(segments[start..<min(start + pieces, segments.count)]))
        }
        return try evaluations.map { try $0.figures(settings, corpusID: nil) }
    }

    @Test("Every figure equals PyTorch's") func everyFigureIsPyTorchs() throws {
        let found = try figures(threads: 2, pieces: segments.count)
        for (golden, records) in zip(goldens.cases, found) {
            #expect(records.count == golden.figures.count, "\(golden.name)")
            for figure in golden.figures {
                let place = "\(golden.name) \(figure.metric) \(figure.layer.map(String.init) ?? "")"
                let record = try #require(
                    records.first { $0.metric == figure.metric && $0.layer == figure.layer }, "\(place)")
                #expect(record.tokenCount == figure.tokens, "\(place)")
                guard let value = figure.value else {
                    #expect(record.value == nil, "\(place)")
                    continue
                }

                let difference = abs(try #require(record.value, "\(place)") - value)
                #expect(difference <= 2e-5 * max(1, abs(value)), "\(place): \(record.value ?? 0), \(value)")
                if let low = record.low, let high = record.high {
                    #expect(low <= high && low <= value + 1e-4 && value <= high + 1e-4, "\(place)")
                }
            }
            #expect(records.contains { $0.low != nil && $0.low != $0.high })
        }
    }

    @Test("The number of threads changes no bit") func threadsChangeNoBit() throws {
        #expect(try figures(threads: 1, pieces: 3) == figures(threads: 3, pieces: 3))
    }

    @Test("The batch size changes no bit") func batchesChangeNothing() throws {
        for (one, other) in zip(try figures(threads: 2, pieces: 1), try figures(threads: 2, pieces: 4)) {
            for (a, b) in zip(one, other) {
                #expect(a.tokenCount == b.tokenCount && abs((a.value ?? 0) - (b.value ?? 0)) < 1e-5, "\(a.metric)")
            }
        }
    }

    @Test("The zeroed layer is evaluated on every n-th segment only")
    func theZeroedModelSeesEverySoManiethSegment() throws {
        let (all, some) = (try figures(threads: 2, pieces: 2), try figures(threads: 2, pieces: 2, zeroEvery: 3))
        for (one, other) in zip(all, some) {
            for (a, b) in zip(one, other) where ["recovered", "ce_zero"].contains(a.metric) {
                // Segments 0, 3 and 6 of 7: predictions at all but the last of 23, 23 and 17 tokens.
                #expect(b.tokenCount == 22 + 22 + 16 && a.tokenCount > b.tokenCount)
            }
            for (a, b) in zip(one, other) where !["recovered", "ce_zero"].contains(a.metric) { #expect(a == b) }
        }
    }
}
