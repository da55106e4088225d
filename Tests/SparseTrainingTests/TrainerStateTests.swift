import LinearAlgebra
import SparseCoding
import SparseTraining
import Testing
import Vocabulary

/// The state is complete: a failed step leaves it unchanged, and a copy of it continues to the same bits.
@Suite struct TrainerStateTests {
    private static let systems =
        DictionarySystem.penalised + DictionarySystem.topK
        + Fidelity.allCases.map { DictionarySystem(architecture: .route, fidelity: $0, usesTopK: true) }

    private func trainer(_ system: DictionarySystem) throws -> any DictionaryTrainer {
        let configuration = try system.configuration(dModel: 9, latents: 30)
        let options = try TrainingOptions(
            configuration, batchTokens: 20, steps: 12,
            choices: .init {
                $0.normalizeEvery = 3
                $0.auxiliaryCoefficient = system.usesTopK ? 0.1 : nil
                $0.deadAfterTokens = 40
            })
        return livelyTrainer(system, configuration, options, seed: 1)
    }

    private func batch(_ step: Int) -> ActivationBatch { keyedBatch(count: 20 - step, dModel: 9, seed: UInt64(step)) }

    /// All of a state, to the bit.
    private func contents(_ state: TrainerState) -> [[UInt64]] {
        state.tensors.map { $0.matrix.elements.map { UInt64($0.bitPattern) } }
            + [[UInt64(state.stepsDone)], state.tokensSinceFired.map { UInt64($0) }]
    }

    private func copy(_ state: TrainerState, _ options: TrainingOptions) -> TrainerState {
        let result = TrainerState(empty: state.configuration)
        #expect(result.tensors.map(\.name) == state.tensors.map(\.name))
        for (tensor, source) in zip(result.tensors, state.tensors) { tensor.matrix.update(from: source.matrix) }
        result.restore(stepsDone: state.stepsDone, tokensSinceFired: state.tokensSinceFired)
        return result
    }

    @Test("Training restored from a state continues to the same bits", arguments: systems)
    func aTrainerMadeAnewGoesOnToTheSameBits(system: DictionarySystem) throws {
        for stop in [0, 1, 5] {
            let whole = try trainer(system)
            for step in 0..<stop { try whole.step(batch(step)) }
            let resumed = system.trainer(
                copy(whole.state, whole.options), whole.options, workers: Workers(threads: 3))
            for step in stop..<9 {
                #expect(try resumed.step(batch(step)) == (try whole.step(batch(step))), "step \(step)")
            }
            #expect(contents(resumed.state) == contents(whole.state), "stopped before step \(stop)")
            for trainer in [whole, resumed] { trainer.finish(Workers(threads: 1)) }
            #expect(contents(resumed.state) == contents(whole.state))
        }
    }

    @Test func everyTensorIsInTheState() throws {
        for system in Self.systems {
            let state = try trainer(system).state
            let names = state.weights.tensors.map(\.name)
            let expected = ["weights", "first_moment", "second_moment"].flatMap { kind in
                names.map { "\(kind).\($0)" }
            }
            #expect(state.tensors.map(\.name) == expected)
            #expect(Set(names).count == names.count)
        }
    }

    @Test(arguments: systems, [0, 3]) func aLossThatIsNotFiniteChangesNothing(
        system: DictionarySystem, stepsBefore: Int
    ) throws {
        let (trainer, undisturbed) = (try trainer(system), try trainer(system))
        for step in 0..<stepsBefore {
            try trainer.step(batch(step))
            try undisturbed.step(batch(step))
        }
        // What damage may do: an encoder, a decoder or a bias that is no number, or one that overflows.
        for (tensor, damage) in [
            ("encoder", Float.nan), ("decoder", .infinity), ("encoder", 1e38), ("decoder", 1e38), ("pre_bias", .nan),
            ("latent_bias", .nan), ("mag_bias", .infinity), ("r_mag", 500), ("threshold", .nan),
        ] {
            // Whatever b_pre was, the first step may put the mean of the inputs in its place.
            guard tensor != "pre_bias" || stepsBefore > 0 else { continue }
            guard let matrix = trainer.state.weights.tensors.first(where: { $0.name == tensor })?.matrix else {
                continue
            }
            // Every latent, as one alone may not be active; of a direction one column, as inputs have no mean that
            // equal columns could see.
            let kept = matrix.elements
            for place in stride(from: 0, to: matrix.count, by: matrix.rows > 1 ? matrix.columns : 1) {
                matrix.pointer[place] = damage
            }

            let before = contents(trainer.state)
            #expect(throws: TrainingError.lossNotFinite(step: stepsBefore), "\(tensor) \(damage)") {
                try trainer.step(batch(7))
            }
            #expect(contents(trainer.state) == before, "\(tensor) \(damage)")
            matrix.update(from: Matrix(rows: matrix.rows, columns: matrix.columns, elements: kept))
        }
        // It goes on as if nothing had been.
        for step in 7..<9 {
            #expect(try trainer.step(batch(step)) == (try undisturbed.step(batch(step))))
        }
        #expect(contents(trainer.state) == contents(undisturbed.state))
    }

    @Test(arguments: systems, [0, 2]) func damagedActivationsChangeNothing(
        system: DictionarySystem, stepsBefore: Int
    ) throws {
        let trainer = try trainer(system)
        for step in 0..<stepsBefore { try trainer.step(batch(step)) }
        let before = contents(trainer.state)
        for bad in [Float.nan, .infinity, -.infinity, 1e30] {
            // In every layer, as a drawn one may be any.
            let batch = batch(5)
            for position in 0..<4 { batch.values[11, position * 9 + 4] = bad }
            #expect(throws: SparseCodingError.self, "\(bad)") { try trainer.step(batch) }
            #expect(contents(trainer.state) == before)
        }
    }
}
