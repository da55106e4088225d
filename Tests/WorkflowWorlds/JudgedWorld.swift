import FeatureCatalog
import Indexing
import LinearAlgebra
import TestSupport
import Training

/// An indexed dictionary of the shipped model, for judges to explain and to score.
package enum JudgedWorld {
    /// Puts its catalog at `path`.
    package static func catalog(at path: String) throws {
        try MadeOnce.catalog("judged", at: path) { path in
            let text = repositoryFile("Demo/text/heldout/bible.jsonl")
            try train(
                [
                    TrainingSettings(
                        name: "d", model: DemoModel.path, text: [text], latents: 64, k: 4, batchTokens: 256, steps: 30,
                        context: 64, seed: 1)
                ], catalog: path)
            let catalog = try Catalog.open(at: path, mode: .readWrite)
            _ = try IndexingRun(
                settings: IndexingSettings(
                    model: DemoModel.path, text: [text], options: IndexingOptions(maximumTokens: 5000, context: 64)),
                workers: Workers(threads: 2)
            ).run(on: catalog)
            try catalog.close()
        }
    }
}
