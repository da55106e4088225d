import SparseCoding
import Testing
import Vocabulary

@Suite struct LatentEditsTests {
    private func configuration(_ fidelity: Fidelity = .corrected) throws -> DictionaryConfiguration {
        try DictionaryConfiguration(
            architecture: .topk, dModel: 8, latents: 10, k: 2, layers: [0], fidelity: fidelity)
    }

    private func problem(_ edits: [LatentEdit], _ fidelity: Fidelity = .corrected) throws -> String? {
        let configuration = try configuration(fidelity)
        do {
            _ = try LatentEdits(edits, of: configuration)
            return nil
        } catch { return "\(error)" }
    }

    private func edit(_ feature: Int, _ operation: EditOperation, _ strength: Double) -> LatentEdit {
        LatentEdit(feature: feature, operation: operation, strength: strength)
    }

    @Test("Edits of different features combine in order") func differentFeaturesGoTogetherInOrder() throws {
        let edits = try LatentEdits(
            [edit(7, .set, 3), edit(0, .add, -2), edit(9, .multiply, 0)], of: configuration())
        #expect(edits.edits.map(\.feature) == [0, 7, 9])
    }

    @Test("A feature is edited once") func oneFeatureIsEditedOnce() throws {
        for one in EditOperation.allCases {
            for other in EditOperation.allCases {
                let problem = try #require(try problem([edit(4, one, 1), edit(2, .set, 1), edit(4, other, 2)]))
                #expect(problem.contains("feature 4") && problem.contains("contradict"), "\(problem)")
            }
        }
    }

    @Test func featuresAndStrengthsAreChecked() throws {
        #expect(try problem([edit(9, .set, 0)]) == nil)
        for feature in [-1, 10, Int.max] { #expect(try problem([edit(feature, .set, 1)]) != nil) }
        for strength in [Double.nan, .infinity, -.infinity, 1e39] {
            for operation in EditOperation.allCases {
                #expect(try problem([edit(1, operation, strength)]) != nil)
            }
        }
        // A latent of the corrected mode is never negative; one of the authors' TopK may be.
        #expect(try problem([edit(1, .set, -1)]) != nil && problem([edit(1, .multiply, -1)]) != nil)
        #expect(try problem([edit(1, .add, -1)]) == nil)
        #expect(try problem([edit(1, .set, -1)], .reference) == nil)
    }
}
