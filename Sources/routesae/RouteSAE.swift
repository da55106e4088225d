import ActivationPipeline
import ArgumentParser
@preconcurrency import Glibc

/// The command line: parses, calls, prints.
@main
struct RouteSAE: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "routesae",
        abstract: "Learn features that span a language model's layers, and keep them in one SQLite file.",
        discussion: """
            Examples:
              routesae demo
              routesae train c.sqlite --model Demo/model --text Demo/text/train --latents 2048 --k 32 --tokens 1000000
              routesae index c.sqlite --model Demo/model --text Demo/text/heldout
              routesae score c.sqlite --model Demo/model --sample 100
              routesae evaluate c.sqlite --model Demo/model
              routesae features c.sqlite --sort max_activation --limit 20

            routesae --version --verbose says which instructions its products run on.

            Exit status: 0 fine; 1 the check failed (verify, diff, reproduce, model); 64 usage; 65 bad input data; 66 \
            input missing; 70 internal; \
            73 cannot write; 75 interrupted, can be resumed; 77 refused, also where a judge gives no usable answer.
            """,
        version: Software.version,
        groupedSubcommands: [
            CommandGroup(
                name: "Make",
                subcommands: [
                    DemoCommand.self, TrainCommand.self, SweepCommand.self, IndexCommand.self, ScoreCommand.self,
                    EvaluateCommand.self, SteerCommand.self, ReviewCommand.self, ActivationsCommand.self,
                    EncodeCommand.self,
                ]),
            CommandGroup(
                name: "Look",
                subcommands: [
                    FeaturesCommand.self, FeatureCommand.self, PromptCommand.self, LayersCommand.self,
                    CountCommand.self,
                    CompareCommand.self,
                    SearchCommand.self,
                    SQLCommand.self, RunsCommand.self, ServeCommand.self, PlotCommand.self, ModelCommand.self,
                    ModelsCommand.self,
                ]),
            CommandGroup(
                name: "Keep",
                subcommands: [
                    VerifyCommand.self, MigrateCommand.self, MergeCommand.self, DiffCommand.self, PackCommand.self,
                    ReproduceCommand.self,
                ]),
            CommandGroup(name: "Share", subcommands: [ImportCommand.self, ExportCommand.self]),
            CommandGroup(name: "Measure", subcommands: [BenchmarkCommand.self]),
        ])

    /// Runs the command; errors become one line on standard error and a documented exit status.
    static func main() {
        // Writing beyond a limit on the size of files then fails like a full disk, instead of killing the process.
        signal(SIGXFSZ, SIG_IGN)
        StandardStreams.begin()
        do {
            if Set(CommandLine.arguments.dropFirst()) == ["--version", "--verbose"] {
                print(VersionReport.text)
                return try StandardStreams.finish()
            }
            let advice = CommandLineAdvice(arguments: FormerOptions.arguments)
            if let problem = advice.verbProblem { throw WorkflowError.usage(problem) }
            var command = try Verb.command(FormerOptions.arguments)
            try ProcessLimits.check()
            try command.run()
            try StandardStreams.finish()
        } catch {
            Failure(error).exit()
        }
    }
}
