import ActivationPipeline
import ArgumentParser
import FeatureCatalog
import Foundation
import Indexing
import LinearAlgebra
import Scoring
import SparseTraining
import TerminalOutput
import Training

struct DemoCommand: ParsableCommand {
    static let configuration = CommandConfiguration.verb(
        "demo",
        abstract: "Run the whole job on the shipped model: train, index, score, and print a summary.",
        discussion: """
            Trains RouteSAE on the shipped text, live from the shipped model, indexes held-out text, explains and \
            scores a sample of features, and leaves one file.

            Examples:
              routesae demo
              routesae demo --latents 8192 --tokens 4000000 --sample 300 --output big.sqlite
            """)

    @Option(help: "The catalog to make.")
    var output = "demo.sqlite"
    @Option(help: "The shipped model's and text's folder.")
    var assets = "Demo"
    @Option(help: "Number of latents.")
    var latents = 4096
    @Option(help: "Number of active latents of a token.")
    var k = 32
    @Option(help: "Training tokens.")
    var tokens = 1_228_800
    @Option(help: "Tokens of a batch.")
    var batchTokens = 4096
    @Option(help: "What products of the model and the encoder take, f32 or bf16.")
    var precision = Precision.bf16
    @Option(help: "Features to explain and score.")
    var sample = 150
    @Option(help: "Seed of weights, order and samples.")
    var seed: UInt64 = 1
    @Flag(help: "Replace an existing file.")
    var force = false
    @OptionGroup var options: RunOptions

    /// Context length of the shipped model, as it was trained.
    private static let context = 512

    func run() throws {
        Interruption.watch()
        let clock = ContinuousClock()
        let started = clock.now
        let model = assets + "/model"
        let job = try TrainingJob(
            [
                TrainingSettings(
                    name: "demo", model: model, text: [assets + "/text/train"], latents: latents, k: k,
                    batchTokens: batchTokens, tokens: tokens, context: Self.context, seed: seed, precision: precision)
            ], workers: options.workers)
        try TrainingLauncher.makeWay(for: TrainingCheckpoint.path(besideCatalog: output), replacing: force)
        let catalog = try Catalog.create(at: output, replacing: force, software: Software.identity)
        try CatalogFile.write(catalog) { catalog in
            let trained = try train(job, catalog)
            let indexed = try index(model, catalog)
            let scored = try score(model, catalog)
            let seconds = (clock.now - started) / .seconds(1)
            try DemoSummary(
                catalog: catalog, path: output, assets: assets, training: trained, indexing: indexed, scoring: scored,
                seconds: seconds, style: .standardOutput()
            ).print()
        }
    }

    private func train(_ job: TrainingJob, _ catalog: Catalog) throws -> TrainingRun.Result {
        let progress = options.progress("training tokens")
        defer { progress.finish() }
        let run = TrainingRun(
            job, workers: options.workers,
            checkpoints: try CheckpointPolicy(path: TrainingCheckpoint.path(besideCatalog: output)))
        return try run.run(into: catalog, cancelled: { Interruption.isRequested }) { step, reports in
            progress.update(step * batchTokens, of: job.steps * batchTokens, fields: reports.first?.fields ?? [])
        }.results[0]
    }

    private func index(_ model: String, _ catalog: Catalog) throws -> IndexingRun.Result {
        let progress = options.progress("indexing")
        defer { progress.finish() }
        let settings = IndexingSettings(
            dictionary: "demo", model: model, text: [assets + "/text/heldout"],
            options: IndexingOptions(context: Self.context), seed: seed, precision: precision)
        return try IndexingRun(settings: settings, workers: options.workers).run(
            on: catalog, cancelled: { Interruption.isRequested }, progress: progress.show)
    }

    private func score(_ model: String, _ catalog: Catalog) throws -> ScoringRun.Result {
        let progress = options.progress("explaining")
        defer { progress.finish() }
        let settings = ScoringSettings(
            dictionary: "demo", model: model, sample: sample, seed: seed, precision: precision)
        return try ScoringRun(settings: settings, workers: options.workers).run(
            on: catalog, progress: { done, total in progress.update(done, of: total) },
            cancelled: { Interruption.isRequested })
    }
}
