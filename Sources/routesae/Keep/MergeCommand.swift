import ArgumentParser
import CatalogMaintenance
import FeatureCatalog
import TerminalOutput

struct MergeCommand: ParsableCommand {
    static let configuration = CommandConfiguration.verb(
        "merge",
        abstract: "Merge catalogs into a new one.",
        discussion: """
            Models, texts and dictionaries that are the same (by digest) are there once, whatever they are called; \
            indexes of one dictionary on different texts stand side by side, and runs, explanations, scores and \
            reviews come along. With --combine the texts become one, and the statistics are those that indexing all \
            of it at once would have given; explanations and scores rest on the parts and are left behind. The new \
            file appears when it is whole.

            Examples:
              routesae merge all.sqlite route.sqlite topk.sqlite
              routesae merge whole.sqlite part1.sqlite part2.sqlite part3.sqlite --combine pile
            """)

    @Argument(help: "The new catalog.")
    var catalog: String
    @Argument(help: "The catalogs to merge, in order.")
    var inputs: [String]
    @Option(help: ArgumentHelp("Make one corpus of all that were indexed, under this name.", valueName: "name"))
    var combine: String?
    @Flag(help: "Keep plain tables, views and indexes that others added; never triggers or virtual tables.")
    var keepAdditions = false
    @Flag(help: "Replace a catalog that is there.")
    var force = false
    @Flag(name: .shortAndLong, help: "No progress.")
    var quiet = false

    func run() throws {
        let progress = RunProgress(label: "merging", isQuiet: quiet)
        defer { progress.finish() }
        let merge = MergeRun(settings: MergeSettings(inputs: inputs, combine: combine, keepAdditions: keepAdditions))
        let result = try merge.run(
            to: catalog, replacing: force, remark: { StandardStreams.remark($0) },
            progress: { done, total in progress.update(done, of: total) })
        progress.finish()
        StandardStreams.write(
            VisibleText.of(
                "\(catalog): \(result.dictionaryCount) dictionaries, \(result.indexCount) indexes"
                    + (result.combinedCount > 0 ? ", \(result.combinedCount) combined" : "")) + "\n")
    }
}
