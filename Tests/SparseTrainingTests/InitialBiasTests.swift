import LinearAlgebra
import SparseCoding
import SparseTraining
import TestSupport
import Testing
import Vocabulary

/// Where b_pre stands after the first step. The schedules here give that step a rate of 0, so that nothing else moves it.
@Suite struct InitialBiasTests {
    private static let systems = (DictionarySystem.penalised + DictionarySystem.topK).filter {
        $0.architecture != .crosscoder || $0.fidelity == .corrected
    }

    private func trainer(_ system: DictionarySystem, _ start: InitialBias?) throws -> any DictionaryTrainer {
        let configuration = try system.configuration(dModel: 11, latents: 20)
        let options = try TrainingOptions(
            configuration, batchTokens: 100, steps: 20,
            choices: .init { $0.initialBias = start })
        return livelyTrainer(system, configuration, options, seed: 1)
    }

    private func preBias(
        _ system: DictionarySystem, _ start: InitialBias?, after batch: ActivationBatch
    ) throws -> [Float] {
        let trainer = try trainer(system, start)
        try trainer.step(batch)
        return trainer.state.weights.preBias.elements
    }

    private func samples(_ system: DictionarySystem, _ batch: ActivationBatch) throws -> [[Double]] {
        let configuration = try system.configuration(dModel: 11, latents: 20)
        return NaiveDictionary(configuration, DictionaryWeights(configuration)).samples(batch)
    }

    private func mean(_ x: [[Double]]) -> [Double] {
        x[0].indices.map { column in x.reduce(0) { $0 + $1[column] } / Double(x.count) }
    }

    /// Weiszfeld's iteration until long after it stands still.
    private func geometricMedian(_ x: [[Double]]) -> [Double] {
        var y = mean(x)
        for _ in 0..<3000 {
            let weights = x.map { 1 / distance($0, y) }
            let total = weights.reduce(0, +)
            y = y.indices.map { column in zip(x, weights).reduce(0) { $0 + $1.0[column] * $1.1 } / total }
        }
        return y
    }

    private func distance(_ a: [Double], _ b: [Double]) -> Double {
        zip(a, b).reduce(0) { $0 + ($1.0 - $1.1) * ($1.0 - $1.1) }.squareRoot()
    }

    @Test("b_pre starts where the setting says", arguments: systems)
    func startsWhereAsked(system: DictionarySystem) throws {
        let batch = keyedBatch(count: 90, dModel: 11, seed: 3)
        let x = try samples(system, batch)
        let given = livelyWeights(try system.configuration(dModel: 11, latents: 20), seed: 1).preBias.elements
        #expect(try preBias(system, .zero, after: batch) == given)
        // Wherever the given weights had it.
        expectClose(
            try preBias(system, .mean, after: batch), mean(x).map { Float($0) }, absolute: 1e-6, "mean")
        // The iteration stops where a step is 1e-5 of the distance covered.
        expectClose(
            try preBias(system, .geometricMedian, after: batch), geometricMedian(x).map { Float($0) },
            absolute: 1e-4, "geometric median")
        #expect(
            try preBias(system, nil, after: batch)
                == (try preBias(system, system.fidelity == .corrected ? .mean : .zero, after: batch)))
    }

    /// A sixth of the tokens point the other way; none can be longer than others, as all are standardised.
    @Test("Outliers move the mean and not the median", arguments: systems)
    func outliersMoveTheMeanAndNotTheMedian(system: DictionarySystem) throws {
        let batch = keyedBatch(count: 90, dModel: 11, seed: 3)
        func fill(outliers: Int) {
            var generator = CounterGenerator(seed: 4)
            for token in 0..<90 {
                for place in 0..<44 {
                    let common: Float = place % 11 % 3 == 0 ? 2 : -1
                    batch.values[token, place] =
                        (token % 6 < outliers ? -common : common) + 0.2 * (generator.uniform() - 0.5)
                }
            }
        }

        var moved: [InitialBias: Double] = [:]
        for start in [InitialBias.mean, .geometricMedian] {
            let places = try [0, 1].map { outliers in
                fill(outliers: outliers)
                return try preBias(system, start, after: batch).map { Double($0) }
            }
            moved[start] = distance(places[0], places[1])
        }
        #expect(moved[.mean]! > 0.5 && moved[.geometricMedian]! < 0.05 * moved[.mean]!, "\(moved)")
    }

    @Test("Only the first step moves b_pre", arguments: systems, [InitialBias.mean, .geometricMedian])
    func onlyTheFirstStepMovesIt(system: DictionarySystem, start: InitialBias) throws {
        let trainer = try trainer(system, start)
        try trainer.step(keyedBatch(count: 90, dModel: 11, seed: 3))
        let before = trainer.state.weights.preBias.elements
        // One sample, far from the mean: b_pre goes no further than Adam takes it.
        try trainer.step(keyedBatch(count: 1, dModel: 11, seed: 4))
        let rate = trainer.options.learningRate
        #expect(zip(before, trainer.state.weights.preBias.elements).allSatisfy { abs($0 - $1) < 10 * rate })
    }

    /// All samples alike: the median is the sample itself, where the iteration would divide by zero.
    @Test("Identical samples have a median") func samplesThatCoincideHaveAMedian() throws {
        let system = DictionarySystem(architecture: .vanilla, fidelity: .corrected, usesTopK: false)
        let batch = keyedBatch(count: 8, dModel: 11, seed: 3)
        for token in 1..<8 { batch.copyRow(token, from: batch, row: 0) }
        expectClose(
            try preBias(system, .geometricMedian, after: batch), try samples(system, batch)[0].map { Float($0) },
            relative: 1e-5, "median")
    }
}
