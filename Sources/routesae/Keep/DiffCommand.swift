import ArgumentParser
import CatalogMaintenance
import FeatureCatalog
import JSON
import TerminalOutput

struct DiffCommand: ParsableCommand {
    static let configuration = CommandConfiguration.verb(
        "diff",
        abstract: "List the differences of two catalogs: runs, dictionaries, texts, statistics, features.",
        discussion: """
            Times, hosts, random identifiers and runs that did not complete do not count: two catalogs made from the same inputs with the same \
            settings and seed are equal. Dictionaries are the same by name, or by weights; where their weights \
            differ, their features are matched by the cosine of their decoder rows. Rows are of a section, a subject \
            and a name, with what either catalog says and the difference; json is one object. Exit status 0: equal. \
            1: they differ.

            Examples:
              routesae diff a.sqlite b.sqlite
              routesae diff a.sqlite b.sqlite --features 20
              routesae diff a.sqlite b.sqlite --format csv | grep ^metric
              routesae diff a.sqlite again.sqlite --quiet && echo reproduced
            """)

    @Argument(help: "A catalog.")
    var a: String
    @Argument(help: "Another one.")
    var b: String
    @Option(help: "List this many features whose best match in the other dictionary is the farthest.")
    var features = 0
    @OptionGroup var output: OutputOptions
    @OptionGroup var options: RunOptions

    func validate() throws {
        if features < 0 { throw ValidationError("--features is \(features); allowed: from 0") }
    }

    func run() throws {
        Interruption.watch()
        let (first, second) = (try Catalog.open(at: a, mode: .readOnly), try Catalog.open(at: b, mode: .readOnly))
        defer {
            _ = try? first.close()
            _ = try? second.close()
        }

        let report = try first.snapshot { try second.snapshot { try compare(first, second) } }
        for catalog in [first, second] { try catalog.checkUnchanged() }
        switch output.format {
        case .table: StandardStreams.write(report.text(style: .standardOutput()))
        case .json: StandardStreams.write(report.json.document(onOneLine: false))
        case .jsonl, .csv, .tsv, .markdown: output.print(columns: DifferenceReport.columns, rows: report.rows)
        }
        guard report.difference.isEqual else {
            try StandardStreams.finish()
            throw ExitCode(1)
        }
    }

    private func compare(_ first: Catalog, _ second: Catalog) throws -> DifferenceReport {
        var line: (label: String, progress: RunProgress)?
        defer { line?.progress.finish() }
        let comparison = CatalogComparison(
            first, with: second, workers: options.workers, cancelled: { Interruption.isRequested },
            progress: { label, done, total in
                if line?.label != label {
                    line?.progress.finish()
                    line = (label, options.progress(label))
                }
                line?.progress.update(done, of: total)
            })
        let difference = try comparison.run()
        return try DifferenceReport(
            a: a, b: b, difference: difference,
            worst: difference.matched.map { matched in
                DifferenceReport.Worst(
                    matched: matched, features: Array(matched.matching.ranked(farthestFirst: true).prefix(features)),
                    tokens: (
                        try MatchingPage.topTokens(of: matched.one, in: first),
                        try MatchingPage.topTokens(of: matched.other, in: second)
                    ))
            })
    }
}
