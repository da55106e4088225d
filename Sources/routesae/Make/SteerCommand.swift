import ActivationPipeline
import ArgumentParser
import FeatureCatalog
import Foundation
import LinearAlgebra
import SparseCoding
import Steering
import TerminalOutput
import Vocabulary

struct SteerCommand: ParsableCommand {
    static let configuration = CommandConfiguration.verb(
        "steer",
        abstract: "Generate text with features steered, beside the unsteered text.",
        discussion: """
            Every token, of the prompt and of what follows, is read at the layer that the router chooses for it in the \
            unsteered model; there the change of the latents, decoded, is added to the residual stream, and what the \
            dictionary does not reconstruct stays as it is. kl is KL(unsteered || steered) per generated token in nats; \
            promoted_change is how much more probable the ten tokens became that the (first) feature promotes most, as \
            the change of their mean log-probability in nats. Everything is kept in the catalog as a run of kind steer.

            With --chat a prompt is what a user says: it goes through the model's own chat template, which is Jinja, and \
            the model writes the answer. Names of special tokens in a prompt become those tokens, as they do in \
            transformers. A template that asks for the date is told --date, never today's, so that a run can be repeated.

            Examples:
              routesae steer c.sqlite --model Demo/model --feature 12 --set 8 --prompt "And the LORD said"
              routesae steer c.sqlite --model Demo/model --set 12=8 --multiply 40=0 --prompt "The function" --tokens 60
              routesae steer c.sqlite --model Demo/model --feature 12 --sweep add=0,2,4,8 --prompt-file prompts.txt
              routesae steer c.sqlite --model Demo/model --feature 12 --multiply 0 --prompt "In the" --temperature 0.8 \
            --top-p 0.95 --seed 7 --no-save --format json
              routesae steer c.sqlite --model Llama-3.2-1B-Instruct --feature 12 --set 8 --chat --system "Be brief." \
            --prompt "What is a king?"
            """)

    @OptionGroup var catalog: CatalogArgument
    @OptionGroup var dictionary: DictionaryOption
    @Option(help: "Folder of the language model the dictionary was trained on.")
    var model: String
    @Option(help: "What products of the model and the encoder take, f32 or bf16; by default f32.")
    var precision: Precision?
    @OptionGroup(title: "Edits") var edits: EditOptions
    @Option(parsing: .upToNextOption, help: "Texts to continue.")
    var prompt: [String] = []
    @Option(help: "A file with a text to continue on every line that is not empty.")
    var promptFile: String?
    @Flag(help: "Put every prompt through the model's chat template, as a user's message.")
    var chat = false
    @Option(help: "With --chat: what the system's message before the prompt says.")
    var system: String?
    @Option(
        help:
            "With --chat: the day, YYYY-MM-DD, that a template takes for today (default: \(ChatSettings.standardDate))."
    )
    var date: String?
    @Option(help: "The most tokens generated.")
    var tokens = 40
    @Option(help: "Draw tokens, logits being divided by this; without it the likeliest token is taken at each step.")
    var temperature: Double?
    @Option(help: "Draw among the likeliest tokens that together have this probability.")
    var topP = 1.0
    @Option(help: "Seed of the draws.")
    var seed: UInt64 = 0
    @Flag(help: "Replace the stream by the reconstruction, as the authors' code does; its error is lost.")
    var replaceReconstruction = false
    @Flag(help: "Write nothing to the catalog.")
    var noSave = false
    @OptionGroup var output: OutputOptions
    @OptionGroup var options: RunOptions

    func validate() throws {
        _ = try edits.edits()
        if prompt.isEmpty && promptFile == nil {
            throw ValidationError("no prompt to continue; add --prompt or --prompt-file")
        }
        if !chat, system != nil || date != nil {
            throw ValidationError("\(system != nil ? "--system" : "--date") needs --chat")
        }
    }

    func run() throws {
        Interruption.watch()
        let settings = SteeringSettings(
            dictionary: dictionary.dictionary, model: model, edits: try edits.edits(), sweep: edits.sweep?.strengths,
            prompts: prompt + (try promptsOfFile()),
            chat: chat ? ChatSettings(system: system, date: date ?? ChatSettings.standardDate) : nil, tokens: tokens,
            temperature: temperature, topP: topP,
            replacing: replaceReconstruction, seed: seed, precision: precision)
        let steering = SteeringRun(settings: settings, workers: options.workers)
        let progress = options.progress("steering")
        func run(_ catalog: Catalog) throws -> SteeringRun.Result {
            defer { progress.finish() }
            return try steering.run(
                on: catalog, saving: !noSave, cancelled: { Interruption.isRequested },
                progress: { done, total in progress.update(done, of: total) })
        }

        let result = noSave ? try catalog.read(run) : try catalog.write(run)
        output.print(
            columns: ["prompt", "edits", "strength", "kl", "promoted_change", "unsteered", "steered"],
            rows: result.outcomes.map(row))
        if let runID = result.runID { options.say("run \(runID): \(result.outcomes.count) texts") }
    }

    private func row(_ outcome: SteeringRun.Outcome) -> [Cell] {
        let edits = outcome.edits.map {
            "\($0.feature) \($0.operation.rawValue) \(Quantities.significant($0.strength))"
        }
        return [
            .text(outcome.prompt), .text(edits.joined(separator: ", ")), Cell(outcome.edits.first?.strength),
            .real(outcome.divergence), Cell(outcome.promotedChanges.first ?? nil), .text(outcome.unsteeredText),
            .text(outcome.text),
        ]
    }

    private func promptsOfFile() throws -> [String] {
        guard let promptFile else { return [] }
        let text = try PlainText.read(promptFile, what: "file of prompts")
        let prompts = text.split(whereSeparator: \.isNewline).map(String.init)
        guard !prompts.isEmpty else {
            throw WorkflowError.badInput(path: promptFile, problem: "has no line to continue")
        }
        return prompts
    }
}
