package import ActivationPipeline
package import FeatureCatalog
import LinearAlgebra
import SparseCoding
package import Steering
package import TestSupport
import Tokenization
import Training
package import Vocabulary

/// A small dictionary of the shipped model in a catalog, to steer with.
package struct SteeringWorld {
    package static let prompts = ["And the king said unto him,", "The sqlite3_open() function"]

    package let directory: TemporaryDirectory
    let path: String
    package let folder: ModelFolder

    package init(
        _ architecture: Architecture, routing: RoutingMode = .hard, fidelity: Fidelity = .corrected,
        model: String = DemoModel.path
    ) throws {
        directory = try TemporaryDirectory()
        path = directory.file("c.sqlite")
        folder = try ModelFolder(path: model, workers: Workers(threads: 2))
        let isPenalised = [.vanilla, .gated, .jumprelu].contains(architecture)
        try MadeOnce.catalog("steered \(architecture) \(routing) \(fidelity) \(model)", at: path) { path in
            try train(
                [
                    TrainingSettings(
                        name: "d", architecture: architecture, model: model,
                        text: [repositoryFile("Demo/text/heldout/bible.jsonl")],
                        layers: architecture.readsOneLayer ? [4] : [2, 3, 5], latents: 96, k: isPenalised ? nil : 6,
                        routing: routing, fidelity: fidelity, batchTokens: 256, steps: 12, context: 64, seed: 3)
                ], catalog: path)
        }
    }

    /// Opens the catalog while `body` runs.
    package func open<Value>(_ mode: Catalog.Mode = .readWrite, _ body: (Catalog) throws -> Value) throws -> Value {
        let catalog = try Catalog.open(at: path, mode: mode)
        defer { _ = try? catalog.close() }
        return try body(catalog)
    }

    package func steer(
        _ settings: SteeringSettings, threads: Int = 2, saving: Bool = false,
        cancelled: @escaping () -> Bool = { false }
    ) throws -> SteeringRun.Result {
        try open { catalog in
            try SteeringRun(settings: settings, workers: Workers(threads: threads)).run(
                on: catalog, saving: saving, cancelled: cancelled)
        }
    }

    /// A prompt's tokens; the first is BOS.
    package func tokens(_ prompt: String) -> [Int32] {
        folder.tokenizer.encode(prompt)
    }

    /// The dictionary.
    package func dictionary() throws -> StoredDictionary {
        try open(.readOnly) { try StoredDictionary(named: "d", in: $0) }
    }
}
