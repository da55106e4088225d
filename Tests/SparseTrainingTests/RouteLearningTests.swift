import LinearAlgebra
import SparseCoding
import SparseTraining
import Testing
import Vocabulary

/// Training as a whole finds planted directions.
@Suite struct RouteLearningTests {
    @Test(arguments: RoutingMode.allCases) func findsPlantedDirections(routing: RoutingMode) throws {
        let configuration = try DictionaryConfiguration(
            dModel: 32, latents: 96, k: routing == .hard ? 3 : 9, layers: [1, 2, 3], routing: routing)
        var data = PlantedData(dModel: 32, layers: [1, 2, 3], directions: 40, active: 3, seed: 1)
        let steps = 800
        let options = try TrainingOptions(
            configuration, batchTokens: 256, steps: steps,
            choices: .init { $0.learningRate = 4e-3 })
        let trainer = TopKTrainer(
            configuration: configuration, options: options, weights: DictionaryWeights(configuration, seed: 1),
            workers: Workers(threads: 2))
        let batch = ActivationBatch(capacity: 256, layers: [1, 2, 3], dModel: 32)
        var losses: [Float] = []
        for _ in 0..<steps {
            data.fill(batch)
            losses.append(try trainer.step(batch).loss)
        }
        trainer.finish(Workers(threads: 1))
        let recovered = data.recovered(by: trainer.state.weights, above: 0.9)
        #expect(losses[steps - 1] < 0.1 * losses[0])
        // Soft routing sees mixtures of three layers, the harder task.
        #expect(recovered >= (routing == .hard ? 38 : 30))
        #expect(data.recovered(by: DictionaryWeights(configuration, seed: 1), above: 0.9) == 0)
    }

    @Test func auxiliaryLossRevivesDeadLatents() throws {
        let configuration = try DictionaryConfiguration(dModel: 32, latents: 96, k: 3, layers: [1, 2, 3])
        let steps = 400
        var dead: [Bool: Int] = [:]
        var found: [Bool: Int] = [:]
        var finalLoss: [Bool: Float] = [:]
        for revives in [false, true] {
            var data = PlantedData(dModel: 32, layers: [1, 2, 3], directions: 40, active: 3, seed: 1)
            let options = try TrainingOptions(
                configuration, batchTokens: 256, steps: steps,
                choices: .init {
                    $0.learningRate = 4e-3
                    $0.auxiliaryCoefficient = revives ? 1 / 32 : 0
                    $0.deadAfterTokens = 2_048
                })
            let weights = DictionaryWeights(configuration, seed: 1)
            // Encoder rows so short that they never win, but for every eighth.
            for latent in 0..<96 where latent % 8 != 0 {
                for column in 0..<32 { weights.encoder[latent, column] *= 0.01 }
            }

            let trainer = TopKTrainer(
                configuration: configuration, options: options, weights: weights, workers: Workers(threads: 2))
            let batch = ActivationBatch(capacity: 256, layers: [1, 2, 3], dModel: 32)
            for _ in 0..<steps {
                data.fill(batch)
                finalLoss[revives] = try trainer.step(batch).loss
            }
            dead[revives] = trainer.state.tokensSinceFired.filter { $0 >= 2_048 }.count
            found[revives] = data.recovered(by: trainer.state.weights, above: 0.9)
        }
        // As many come back as there are directions to stand for; the rest has nothing to do.
        #expect(dead[false]! >= 70 && dead[true]! <= 60)
        #expect(found[false]! <= 15 && found[true]! >= 38)
        #expect(finalLoss[true]! < 0.2 * finalLoss[false]!)
    }
}
