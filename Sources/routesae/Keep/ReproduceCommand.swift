import ArgumentParser
import CatalogMaintenance
import FeatureCatalog
import TerminalOutput

struct ReproduceCommand: ParsableCommand {
    static let configuration = CommandConfiguration.verb(
        "reproduce",
        abstract: "Repeat a run in a scratch catalog and compare the results.",
        discussion: """
            The run's configuration, seed and inputs are in the catalog; the files are looked for where the run found \
            them, or where --model, --text, --activations and --path say, and have to be the same by SHA-256. Everything that the run wrote is \
            compared by digest, and its metrics by value. Exit status 0: the same to the bit. 1: something differs.

            Examples:
              routesae reproduce c.sqlite 2
              routesae reproduce c.sqlite 1 --model ~/models/demo --text ~/corpus --scratch again.sqlite
            """)

    @OptionGroup var catalog: CatalogArgument
    @Argument(help: ArgumentHelp("The run's number; 'routesae runs' lists them.", valueName: "run"))
    var runID: Int64
    @Option(help: "Where the language model is now.")
    var model: String?
    @Option(parsing: .upToNextOption, help: "Where the text is now, files and folders in the order of the run.")
    var text: [String] = []
    @Option(parsing: .upToNextOption, help: "Where the activation files are now.")
    var activations: [String] = []
    @Option(help: "Where the file or folder of an import is now.")
    var path: String?
    @Option(help: "Keep the scratch catalog here.")
    var scratch: String?
    @OptionGroup var options: RunOptions
    @OptionGroup var output: OutputOptions

    func run() throws {
        Interruption.watch()
        let settings = Reproduction.Settings(
            runID: runID, model: model, text: text.isEmpty ? nil : text,
            activations: activations.isEmpty ? nil : activations, path: path, scratch: scratch)
        let progress = options.progress("reproducing")
        let comparisons = try catalog.read(atOnce: false) { catalog in
            defer { progress.finish() }
            return try Reproduction(settings: settings, workers: options.workers).run(
                on: catalog, cancelled: { Interruption.isRequested }, remark: { StandardStreams.remark($0) },
                progress: { done, total in progress.update(done, of: total) })
        }
        output.print(
            columns: ["what", "recorded", "reproduced", "same"],
            rows: comparisons.map {
                [.text($0.what), .text($0.recorded), .text($0.reproduced), .text($0.isSame ? "yes" : "no")]
            })
        let differing = comparisons.filter { !$0.isSame }.count
        StandardStreams.remark(
            differing == 0
                ? "run \(runID) is reproduced to the bit" : "run \(runID): \(differing) of \(comparisons.count) differ")
        if differing > 0 { throw ExitCode(1) }
    }
}
