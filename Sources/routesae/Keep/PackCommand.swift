import ArgumentParser
import CatalogMaintenance
import FeatureCatalog
import TerminalOutput

struct PackCommand: ParsableCommand {
    static let configuration = CommandConfiguration.verb(
        "pack",
        abstract: "Write a smaller copy of a catalog to send to someone.",
        discussion: """
            Without options nothing is lost: the file is written anew without gaps. Bands of contexts, contexts beyond \
            a number, text that no context shows, and bits of the weights can be left out; what was, and the sizes, is \
            noted in the table packing.

            Examples:
              routesae pack c.sqlite small.sqlite
              routesae pack c.sqlite send.sqlite --drop-bands quiet --contexts 8 --dtype bf16 --drop-text
            """)

    @OptionGroup var catalog: CatalogArgument
    @Argument(help: "The packed catalog.")
    var output: String
    @Option(parsing: .upToNextOption, help: "Bands of contexts to leave out: top, sample, quiet.")
    var dropBands: [String] = []
    @Option(help: "Contexts of each band to keep.")
    var contexts: Int?
    @Option(help: "Promoted, suppressed, nearest and co-firing ones to keep of each feature.")
    var lists: Int?
    @Option(help: "How weights in f32 are stored: f16 or bf16; by default as they are.")
    var dtype: String?
    @Flag(help: "Leave out text that no kept context shows.")
    var dropText = false
    @Flag(help: "Keep plain tables, views and indexes that others added; never triggers or virtual tables.")
    var keepAdditions = false
    @Flag(help: "Take rows that another program has changed as they are; without it such a catalog is refused.")
    var acceptChanges = false
    @Flag(help: "Replace a catalog that is there.")
    var force = false
    @Flag(name: .shortAndLong, help: "No progress.")
    var quiet = false

    func run() throws {
        let pack = PackRun(
            settings: PackSettings(
                dropBands: dropBands, contexts: contexts, lists: lists, dtype: dtype, dropText: dropText,
                keepAdditions: keepAdditions, acceptChanges: acceptChanges))
        let progress = RunProgress(label: "packing", isQuiet: quiet)
        defer { progress.finish() }
        let result = try catalog.read { catalog in
            try pack.run(
                from: catalog, to: output, replacing: force, remark: { StandardStreams.remark($0) },
                progress: { done, total in progress.update(done, of: total) })
        }
        progress.finish()
        let share = Double(result.bytesAfter) / Double(max(1, result.bytesBefore))
        StandardStreams.write(
            VisibleText.of(
                """
                \(output): \(Quantities.bytes(result.bytesAfter)), \(Quantities.percentage(share)) of \
                \(Quantities.bytes(result.bytesBefore))
                """) + "\n")
    }
}
