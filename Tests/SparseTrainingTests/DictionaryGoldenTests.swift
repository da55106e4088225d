import LinearAlgebra
import Safetensors
import SparseCoding
import SparseTraining
import TestSupport
import Testing
import Vocabulary

/// Whole training runs of every system against PyTorch's, from the fixtures of `tools/make_dictionary_goldens.py`.
@Suite struct DictionaryGoldenTests {
    static let runs = [
        "topk-corrected", "topk-clipped-corrected", "random-corrected", "random-reference", "mlsae-corrected",
        "mlsae-reference", "crosscoder-topk-corrected", "crosscoder-topk-reference", "crosscoder-l1-corrected",
        "crosscoder-l1-reference", "vanilla-corrected", "vanilla-reference", "gated-corrected", "gated-reference",
        "jumprelu-corrected", "jumprelu-reference", "route-hard-sum-corrected", "route-hard-mean-corrected",
        "route-soft-sum-corrected", "route-soft-mean-corrected", "batchtopk-corrected", "matryoshka-corrected",
        "route-batchtopk-corrected", "route-matryoshka-corrected",
    ]

    /// One run's settings, from the header of its file.
    private struct Run {
        let file: SafetensorsFile
        let configuration: DictionaryConfiguration
        let options: TrainingOptions

        init(_ name: String) throws {
            file = try SafetensorsFile(path: fixture("dictionaries/\(name).safetensors"))
            let header = file.metadata
            func number(_ key: String) -> Float? { header[key].flatMap { Float($0) } }
            func integer(_ key: String) -> Int? { header[key].flatMap { Int($0) } }
            let batchK = integer("batch_k")
            let architecture = try #require(header["architecture"].flatMap { Architecture(rawValue: $0) })
            configuration = try DictionaryConfiguration(
                architecture: batchK != nil && architecture == .topk ? .jumprelu : architecture,
                dModel: #require(integer("width")), latents: #require(integer("latents")), k: integer("k"),
                layers: #require(header["layers"]).split { "[], ".contains($0) }.compactMap { Int($0) },
                routing: header["routing"].flatMap { RoutingMode(rawValue: $0) } ?? .hard,
                aggregation: header["aggregation"].flatMap { RouterAggregation(rawValue: $0) } ?? .sum,
                fidelity: #require(header["fidelity"].flatMap { Fidelity(rawValue: $0) }),
                subtractsPreBias: batchK == nil ? nil : true, thresholdForm: batchK == nil ? nil : .shared)
            let choosesRouterGradient =
                configuration.routes && configuration.routing == .hard && configuration.fidelity == .corrected
            let usesAuxiliary = (configuration.k ?? batchK) != nil && configuration.fidelity == .corrected
            options = try TrainingOptions(
                configuration, batchTokens: #require(integer("batch_tokens")), steps: #require(integer("steps")),
                batchK: batchK,
                choices: .init {
                    $0.learningRate = number("learning_rate")
                    $0.gradientClip = number("clip_norm")
                    $0.prefixes = header["prefixes"]?.split(separator: ",").compactMap { Int($0) }
                    $0.normalizeEvery = integer("normalize_every")
                    $0.initialBias = .zero
                    $0.loadBalance = number("load_balance")
                    $0.routerGradient = choosesRouterGradient ? .straightThrough : nil
                    $0.auxiliaryCoefficient = usesAuxiliary ? number("auxiliary_coefficient") : nil
                    $0.auxiliaryK = integer("auxiliary_k")
                    $0.deadAfterTokens = integer("dead_after")
                    $0.lambda = number("lambda")
                    $0.lambdaWarmup = number("sparsity_warmup").map { Double($0) }
                    $0.bandwidth = number("bandwidth")
                })
        }

        func initialState() throws -> TrainerState {
            TrainerState(
                configuration, options: options, weights: try initialWeights(), workers: Workers(threads: 2))
        }

        /// The starting weights; crosscoders' matrices lie in one piece in these files.
        private func initialWeights() throws -> DictionaryWeights {
            let weights = DictionaryWeights(configuration)
            for (name, matrix, transposed) in named(weights) {
                let values = try file.floats("initial.\(name)")
                let stored =
                    transposed
                    ? Matrix(rows: matrix.columns, columns: matrix.rows, elements: values).transposed()
                    : Matrix(rows: matrix.rows, columns: matrix.columns, elements: values)
                matrix.update(from: stored)
            }
            return weights
        }

        /// The tensors there are, by the names of the file, and whether the file holds the transpose.
        func named(_ weights: DictionaryWeights) -> [(name: String, matrix: Matrix, transposed: Bool)] {
            let names = [
                "router": "router.weight", "encoder": "encoder.weight", "decoder": "decoder.weight",
                "threshold": configuration.thresholdForm == .logarithm ? "log_threshold" : "threshold",
            ]
            return weights.tensors.map { (names[$0.name] ?? $0.name, $0.matrix, $0.name == "decoder") }
        }

        func compare(_ weights: DictionaryWeights, under label: String, relative: Float) throws {
            for (name, matrix, transposed) in named(weights) {
                let expected = try file.floats("\(label).\(name)")
                let actual = transposed ? matrix.transposed() : matrix
                expectClose(actual.elements, expected, relative: relative, "\(label).\(name)")
            }
            #expect(file.names.filter { $0.hasPrefix("\(label).") }.count == weights.tensors.count)
        }
    }

    private func batches(_ run: Run) throws -> (Int) throws -> ActivationBatch {
        let file = try SafetensorsFile(path: fixture("dictionaries/activations.safetensors"))
        let shard = try ActivationShard(path: file.path)
        let keys = try file.integers("draw_keys").map { UInt64(bitPattern: $0) }
        let tokens = run.options.batchTokens
        return { step in
            let batch = ActivationBatch(capacity: tokens, layers: shard.layers, dModel: shard.dModel)
            for row in 0..<tokens {
                try shard.read(row: step * tokens + row, into: batch.values.row(row))
                batch.drawKeys[row] = keys[step * tokens + row]
            }
            batch.count = tokens
            return batch
        }
    }

    @Test(arguments: runs) func lossesGradientsAndWeights(name: String) throws {
        let run = try Run(name)
        let (state, workers) = (try run.initialState(), Workers(threads: 2))
        try follow(state.trainer(run.options, workers: workers), run)
    }

    /// Steps that follow only the latents within reach, however many they are.
    @Test(arguments: runs.filter { ["crosscoder-l1", "vanilla", "gated", "jumprelu"].contains(where: $0.hasPrefix) })
    func theSameByLatentsWithinReach(name: String) throws {
        let run = try Run(name)
        try follow(
            PenaltyTrainer(
                state: run.initialState(), options: run.options, workers: Workers(threads: 2), largestShare: 1),
            run)
    }

    private func follow(_ trainer: any DictionaryTrainer, _ run: Run) throws {
        let (state, workers) = (trainer.state, Workers(threads: 2))
        let batch = try batches(run)
        let (losses, objectives) = (try run.file.floats("losses"), try run.file.floats("objectives"))
        let (sparsity, auxiliary) = (
            try run.file.floats("sparsity_losses"), try run.file.floats("auxiliary_losses")
        )
        let l0 = try run.file.floats("l0")
        for step in 0..<run.options.steps {
            let batch = try batch(step)
            if step == 0 || step == 12 {
                let (loss, gradients) = try trainer.gradients(batch)
                expectClose([loss], [objectives[step]], relative: 2e-6, "objective of step \(step)")
                try run.compare(gradients, under: "grad_\(step)", relative: step == 0 ? 3e-6 : 1e-5)
            }

            let report = try trainer.step(batch)
            expectClose([report.loss], [losses[step]], relative: 3e-6, "loss of step \(step)")
            expectClose([report.l0], [l0[step]], relative: 1e-6, "L0 of step \(step)")
            // A gated dictionary's auxiliary reconstruction is part of its sparsity term here.
            let isGated = run.configuration.architecture == .gated
            expectClose(
                [report.sparsityLoss], [sparsity[step] + (isGated ? auxiliary[step] : 0)], relative: 5e-6,
                absolute: 1e-9, "sparsity of step \(step)")
            if !isGated {
                expectClose(
                    [report.auxiliaryLoss], [auxiliary[step]], relative: 5e-6, absolute: 1e-9,
                    "AuxK of step \(step)")
            }
            if step == 2 { try run.compare(state.weights, under: "weights_3", relative: 1e-5) }
        }
        trainer.finish(workers)
        try run.compare(state.weights, under: "weights_25", relative: 1e-5)
        #expect(losses[24] < losses[0])
    }
}
