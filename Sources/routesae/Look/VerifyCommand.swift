import ArgumentParser
import FeatureCatalog
import TerminalOutput

struct VerifyCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "verify",
        abstract: "Checks a catalog to the last byte: pages, references, blobs, digests, derived figures.",
        discussion: """
            Exit status 0: sound. 1: damaged, with a row for every problem found.

            Examples:
              routesae verify c.sqlite
              routesae verify c.sqlite --format json | jq length
            """)

    @OptionGroup var catalog: CatalogArgument
    @Option(help: "Problems after which it stops looking.")
    var limit = 100
    @OptionGroup var output: OutputOptions

    func validate() throws {
        guard (1...1_000_000).contains(limit) else {
            throw ValidationError("--limit is \(limit); allowed: 1 … 1000000")
        }
    }

    func run() throws {
        let problems: [VerificationProblem]
        do {
            problems = try catalog.read { try $0.verify(limit: limit) }
        } catch let error as CatalogError where error.code == .damaged {
            problems = [VerificationProblem(place: "file", reason: error.message)]
        }
        if !problems.isEmpty || output.format != .table {
            output.print(columns: ["place", "problem"], rows: problems.map { [.text($0.place), .text($0.reason)] })
        }
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
}
