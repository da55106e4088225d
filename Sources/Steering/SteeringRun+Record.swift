import FeatureCatalog
import JSON
import SparseCoding

extension SteeringRun.Outcome {
    /// Stored details beside the columns of `intervention`, which hold the first edit.
    private struct Detail: Encodable {
        let edits: [LatentEdit]
        /// The generated tokens, including the end token.
        let tokens: [Int]
        /// The unsteered text.
        let unsteered: String
        /// For each edit, the change of the mean log-probability of the tokens its feature promotes, nats.
        let promotedChange: [Double?]
        /// The prompt rendered by the chat template.
        let rendered: String?

        enum CodingKeys: String, CodingKey {
            case edits, tokens, unsteered, rendered
            case promotedChange = "promoted_change"
        }
    }

    /// The row of the catalog.
    func record(runID: Int64, dictionaryID: Int64) throws -> InterventionRecord {
        guard let first = edits.first else { preconditionFailure("a record of steering without an edit") }
        let detail = Detail(
            edits: edits, tokens: tokens, unsteered: unsteeredText, promotedChange: promotedChanges,
            rendered: rendered)
        return InterventionRecord(
            runID: runID, dictionaryID: dictionaryID, featureIndex: first.feature, operation: first.operation,
            strength: first.strength, prompt: prompt, text: text, kl: divergence, detailJSON: try canonicalJSON(detail))
    }
}
