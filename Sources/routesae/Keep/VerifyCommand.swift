import ArgumentParser
import CatalogMaintenance
import FeatureCatalog
import TerminalOutput

struct VerifyCommand: ParsableCommand {
    static let configuration = CommandConfiguration.verb(
        "verify",
        abstract: "Check everything in a catalog: pages, references, blobs, digests, derived statistics.",
        discussion: """
            With --recompute, contexts are drawn and run through the model again; what differs by more than round-off \
            is a problem too. What others added to the file (tables, views, indexes of their own) is named in a remark \
            and left alone. Exit status 0: sound. 1: damaged, with a row for every problem found.

            Examples:
              routesae verify c.sqlite
              routesae verify c.sqlite --recompute 200 --model Demo/model
              routesae verify c.sqlite --format json | jq 'map(select(.problem)) | length'
            """)

    @OptionGroup var catalog: CatalogArgument
    @Option(help: "Stop after this many problems.")
    var limit = 100
    @Option(help: "Run this many contexts of every index through the model again.")
    var recompute: Int?
    @Option(help: "Folder of the language model, for --recompute.")
    var model: String?
    @Option(help: "Seed by which the contexts are drawn.")
    var seed: UInt64 = 0
    @Option(help: "Differences up to this share of a feature's largest activation are round-off.")
    var tolerance = 1e-4
    @OptionGroup var options: RunOptions
    @OptionGroup var output: OutputOptions

    func validate() throws {
        guard (1...1_000_000).contains(limit) else {
            throw ValidationError("--limit is \(limit); allowed: 1 … 1000000")
        }
        if let recompute, recompute < 1 { throw ValidationError("--recompute is \(recompute); allowed: from 1") }
        if recompute != nil, model == nil { throw ValidationError("--recompute needs the model: add --model FOLDER") }
        guard tolerance >= 0 else { throw ValidationError("--tolerance is \(tolerance); allowed: from 0") }
    }

    func run() throws {
        var problems: [VerificationProblem]
        var additions: [SchemaAddition] = []
        do {
            problems = try catalog.read { catalog in
                additions = try catalog.additions()
                let progress = options.progress("verifying, MB")
                defer { progress.finish() }
                let found = try catalog.verify(limit: limit) { step, done, total in
                    // Smaller files are verified before a line could be read.
                    guard total >= 50_000_000 else { return }
                    progress.update(done / 1_000_000, of: total / 1_000_000, fields: [("at", step)])
                }
                progress.finish()
                // A damaged catalog cannot be recomputed.
                return found.isEmpty ? try recomputed(catalog) : found
            }
        } catch let error as CatalogError where error.code == .damaged {
            problems = [VerificationProblem(place: "file", reason: error.message)]
        }
        show(problems, additions)
        guard problems.isEmpty else {
            let count = problems.count < limit ? "\(problems.count)" : "at least \(problems.count)"
            StandardStreams.remark(
                "\(catalog.catalog) is damaged: \(count) \(problems.count == 1 ? "problem" : "problems")")
            throw ExitCode(1)
        }
        if output.format == .table {
            StandardStreams.write(VisibleText.of("\(catalog.catalog) is sound") + "\n")
        } else {
            StandardStreams.remark("\(catalog.catalog) is sound")
        }
    }

    /// Prints problems as rows. Additions of other software are a line of text, or rows with a remark in place of a
    /// problem.
    private func show(_ problems: [VerificationProblem], _ additions: [SchemaAddition]) {
        guard output.format != .table else {
            if !problems.isEmpty {
                output.print(
                    columns: ["place", "problem"], rows: problems.map { [.text($0.place), .text($0.reason)] })
            }
            if !additions.isEmpty {
                let names = additions.map(\.description).joined(separator: ", ")
                StandardStreams.write(VisibleText.of("additions of others, left alone: \(names)") + "\n")
            }
            return
        }
        output.print(
            columns: ["place", "problem", "remark"],
            rows: problems.map { [.text($0.place), .text($0.reason), .null] }
                + additions.map { [.text("\($0)"), .null, .text("addition of others, left alone")] })
    }

    /// Disagreements with the model.
    private func recomputed(_ catalog: Catalog) throws -> [VerificationProblem] {
        guard let recompute, let model else { return [] }
        Interruption.watch()
        let progress = options.progress("recomputing")
        defer { progress.finish() }
        let check = Recomputation(
            settings: Recomputation.Settings(model: model, count: recompute, seed: seed, tolerance: tolerance),
            workers: options.workers)
        let results = try check.run(
            on: catalog, cancelled: { Interruption.isRequested },
            progress: { done, total in progress.update(done, of: total) })
        progress.finish()
        for result in results {
            StandardStreams.remark(
                """
                \(result.dictionary) on \(result.corpus): \(Quantities.count(result.contextCount)) contexts, \
                \(Quantities.count(result.tokenCount)) tokens run again; largest difference \
                \(Quantities.significant(result.largestDifference)) of a feature's largest activation
                """)
        }
        return results.flatMap { result in
            result.problems.map { VerificationProblem(place: "\(result.dictionary) on \(result.corpus)", reason: $0) }
        }
    }
}
