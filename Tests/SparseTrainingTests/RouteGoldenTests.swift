import LinearAlgebra
import Safetensors
import SparseCoding
import SparseTraining
import TestSupport
import Testing
import Vocabulary

/// Whole training runs against PyTorch's, from the fixtures of `tools/make_route_goldens.py`.
@Suite struct RouteGoldenTests {
    struct Run: CustomTestStringConvertible {
        let file: String
        var routing = RoutingMode.hard
        var aggregation = RouterAggregation.sum
        var layers = [1, 2, 3]
        var testDescription: String { file }
    }

    static let runs = [
        Run(file: "golden"), Run(file: "golden-hard-mean", aggregation: .mean),
        Run(file: "golden-soft-sum", routing: .soft),
        Run(file: "golden-soft-mean", routing: .soft, aggregation: .mean),
        Run(file: "golden-topk", layers: [2]),
    ]

    private func configuration(_ run: Run) throws -> DictionaryConfiguration {
        try DictionaryConfiguration(
            dModel: 16, latents: 64, k: 4, layers: run.layers, routing: run.routing, aggregation: run.aggregation,
            fidelity: .reference)
    }

    /// The initial weights; a single layer takes all but the router.
    private func initial(_ configuration: DictionaryConfiguration) throws -> DictionaryWeights {
        let file = try SafetensorsFile(path: fixture("route-reference/initial.safetensors"))
        if configuration.layers.count > 1 { return try DictionaryWeights(configuration, reading: file) }
        let all = try DictionaryWeights(
            DictionaryConfiguration(dModel: 16, latents: 64, k: 4, layers: [1, 2, 3]), reading: file)
        let weights = DictionaryWeights(configuration)
        weights.preBias.update(from: all.preBias)
        weights.latentBias.update(from: all.latentBias)
        weights.encoder.update(from: all.encoder)
        weights.decoder.update(from: all.decoder)
        return weights
    }

    private func batch() -> ActivationBatch { ActivationBatch(capacity: 32, layers: [1, 2, 3], dModel: 16) }

    private func stream() throws -> ShardActivationStream {
        try ShardActivationStream(
            shards: [ActivationShard(path: fixture("route-reference/activations.safetensors"))], shuffleSeed: nil)
    }

    private func compare(
        _ weights: DictionaryWeights, with golden: SafetensorsFile, under label: String, layers: Int, relative: Float
    ) throws {
        let prefix = layers > 1 ? "sae." : ""
        var expected = [
            "\(prefix)pre_bias": weights.preBias, "\(prefix)latent_bias": weights.latentBias,
            "\(prefix)encoder.weight": weights.encoder, "\(prefix)decoder.weight": weights.decoder.transposed(),
        ]
        if layers > 1 { expected["router.weight"] = weights.router }
        for (name, matrix) in expected {
            let values = try golden.floats("\(label).\(name)")
            #expect(values.contains { $0 != 0 })
            expectClose(matrix.elements, values, relative: relative, "\(label).\(name)")
        }
        #expect(golden.names.filter { $0.hasPrefix("\(label).") }.count == expected.count)
    }

    @Test(arguments: runs) func lossesGradientsAndWeights(run: Run) throws {
        let golden = try SafetensorsFile(path: fixture("route-reference/\(run.file).safetensors"))
        let configuration = try configuration(run)
        let stream = try stream()
        let batch = batch()
        let options = try TrainingOptions(
            configuration, batchTokens: 32, steps: 25,
            choices: .init { $0.learningRate = 5e-3 })
        let trainer = TopKTrainer(
            configuration: configuration, options: options, weights: try initial(configuration),
            workers: Workers(threads: 2))
        var losses: [Float] = []
        for step in 0..<25 {
            try stream.fill(batch)
            if step == 0 {
                try compare(
                    try trainer.gradients(batch).gradients, with: golden, under: "grad", layers: run.layers.count,
                    relative: 2e-6)
            }
            losses.append(try trainer.step(batch).loss)
            if step == 2 {
                try compare(
                    trainer.state.weights, with: golden, under: "weights_3", layers: run.layers.count, relative: 3e-6)
            }
        }
        trainer.finish(Workers(threads: 1))
        try compare(trainer.state.weights, with: golden, under: "weights_25", layers: run.layers.count, relative: 3e-6)
        let expected = try golden.floats("losses")
        for (step, (actual, loss)) in zip(losses, expected).enumerated() {
            expectClose([actual], [loss], relative: 1e-6, "loss of step \(step)")
        }
        #expect(expected.count == 25 && losses[24] < 0.8 * losses[0])
    }

    @Test(arguments: runs) func routingAndLatentsOfTheFirstBatch(run: Run) throws {
        let golden = try SafetensorsFile(path: fixture("route-reference/\(run.file).safetensors"))
        let configuration = try configuration(run)
        let batch = batch()
        try stream().fill(batch)
        let weights = try initial(configuration)
        weights.normaliseDecoder(by: Workers(threads: 1))
        let encoder = DictionaryEncoder(configuration: configuration, weights: weights, workers: Workers(threads: 1))
        let routed = AutoencoderInput(capacity: 32, configuration: configuration)
        let latents = SparseLatents(capacity: 32, width: 4)
        try encoder.read(batch, into: routed)
        encoder.encode(routed, count: 32, into: latents)
        let input = (0..<32 * 16).map { routed.centered.pointer[$0] + weights.preBias.pointer[$0 % 16] }
        expectClose(input, try golden.floats("step_0.input"), relative: 1e-6, "u")
        if run.layers.count > 1 {
            expectClose(
                routed.probabilities.elements, try golden.floats("step_0.router"), relative: 1e-6, "router")
            #expect((0..<32).map { Int64(routed.selected[$0]) } == (try golden.integers("step_0.layers")))
        }
        // The fixture lists the strongest latent first; here they ascend.
        let indices = try golden.integers("step_0.latents")
        let values = try golden.floats("step_0.values")
        let order = (0..<32).flatMap { token in (token * 4..<token * 4 + 4).sorted { indices[$0] < indices[$1] } }
        #expect((0..<128).map { Int64(latents.indices[$0]) } == order.map { indices[$0] })
        let activations = (0..<128).map { latents.activations[$0] }
        expectClose(activations, order.map { values[$0] }, relative: 2e-6, "z")
        #expect(activations.contains { $0 < 0 } == values.contains { $0 < 0 })
    }

    @Test(arguments: runs) func rateFactors(run: Run) throws {
        let golden = try SafetensorsFile(path: fixture("route-reference/\(run.file).safetensors"))
        let schedule = LearningRateSchedule(steps: 25)
        expectClose((0..<25).map { schedule.factor(at: $0) }, try golden.floats("rate_factors"), relative: 1e-7)
    }
}
