import ArgumentParser
import LanguageModel
import TerminalOutput
import Tokenization

struct ModelsCommand: ParsableCommand {
    static let configuration = CommandConfiguration.verb(
        "models",
        abstract: "List the models and tokenizers that run here.",
        discussion: """
            A row for everything that is supported: kind is what it is a part of, name what files call it. A model needs a \
            family, and with it what its config.json and tokenizer.json ask for; whether a folder has all of that is told \
            by `routesae model DIR`. tools/export_activations.py writes the activations of any other model with PyTorch.

            Examples:
              routesae models
              routesae models --format json
            """)

    @OptionGroup var output: OutputOptions

    func run() throws {
        var rows: [[Cell]] = ModelFamily.allCases.map { ["family", .text($0.rawValue), .text($0.models)] }
        rows += ModelFamily.wrapped.map { ["family in a larger model", .text($0.name), .text($0.models)] }
        let settings: [(String, [String])] = [
            ("activation", FeedForwardActivation.allCases.flatMap(\.names)),
            ("position scaling", RotaryScaling.names),
            ("weights", ["F32", "BF16", "F16", "F64"]),
        ]
        rows += settings.flatMap { kind, names in names.map { [.text(kind), .text($0), ""] } }
        rows += Tokenizer.supported.flatMap { part in part.names.map { [.text(part.kind), .text($0), ""] } }
        output.print(columns: ["kind", "name", "models"], rows: rows)
    }
}
