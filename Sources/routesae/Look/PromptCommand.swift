import ActivationPipeline
import ArgumentParser
import CatalogViewer
import FeatureCatalog
import Foundation
import Indexing
import LanguageModel
import LinearAlgebra
import Steering
import TerminalOutput

struct PromptCommand: ParsableCommand {
    static let configuration = CommandConfiguration.verb(
        "prompt",
        abstract: "Show what fires on every token of a text: the layer it is read at, the features, what they mean.",
        discussion: """
            The text is run through the model and the dictionary. A table is a page for people: the text with its \
            tokens coloured, then token by token its layer with the router's weight and its strongest features. All \
            other formats, and a table that is not printed on a terminal, give a row for every token and feature. \
            Positions are counted in tokens from 0; rank 0 is the token's strongest feature.

            With --dictionary given several times the same text is read through each; rows then begin with the \
            dictionary's name.

            Examples:
              routesae prompt c.sqlite --model Demo/model --text "And Adam begat sons"
              routesae prompt c.sqlite --model Demo/model --text "And Adam begat sons" --features 7,12 --format csv
              routesae prompt c.sqlite --model Demo/model --text - --top 3 --dictionary a --dictionary b < letter.txt
              routesae prompt c.sqlite --model Llama-3.2-1B-Instruct --chat --text "What is a king?"
            """)

    @OptionGroup var catalog: CatalogArgument
    @Option(help: "Folder of the language model the dictionary was trained on.")
    var model: String
    @Option(parsing: .unconditional, help: "The text; a lone '-' reads it from standard input.")
    var text: String
    @Option(help: "A dictionary, by name or number; several may be given. The last one added if none is named.")
    var dictionary: [String] = []
    @Option(help: "How many features of each token at most; 0 for all.")
    var top = 5
    @Option(help: ArgumentHelp("Only these features: numbers with commas between them.", valueName: "numbers"))
    var features: String?
    @Flag(help: "Put the text through the model's chat template, as a user's message.")
    var chat = false
    @Option(help: "With --chat: what the system's message before the text says.")
    var system: String?
    @Option(
        help:
            "With --chat: the day, YYYY-MM-DD, that a template takes for today (default: \(ChatSettings.standardDate))."
    )
    var date: String?
    @OptionGroup var output: OutputOptions
    @OptionGroup var options: RunOptions

    func validate() throws {
        if top < 0 { throw ValidationError("--top is \(top); allowed: from 1, or 0 for all") }
        _ = try chosenFeatures()
        if !chat, system != nil || date != nil {
            throw ValidationError("\(system != nil ? "--system" : "--date") needs --chat")
        }
    }

    func run() throws {
        Interruption.watch()
        let text = text == "-" ? String(decoding: FileHandle.standardInput.readDataToEndOfFile(), as: UTF8.self) : text
        let chosen = try chosenFeatures()
        let progress = options.progress("reading")
        defer { progress.finish() }
        // Reading takes long, and no writer should wait for it.
        let findings = try catalog.read(atOnce: false) { catalog in
            let reader = try PromptReader(
                model: model, dictionaries: dictionary, in: catalog, workers: options.workers)
            let segments = try segments(of: text, by: reader)
            return try reader.dictionaries.enumerated().map { number, record in
                if let feature = chosen?.first(where: { $0 >= record.latentCount }) {
                    throw WorkflowError.usage(
                        "there is no feature \(feature); dictionary \"\(record.name)\" has 0 … "
                            + "\(record.latentCount - 1)"
                    )
                }
                return try PromptFindings(
                    record,
                    firings: try reader.firings(
                        on: segments, through: number, cancelled: { Interruption.isRequested },
                        // A text of one batch is read too fast for a line.
                        progress: { done, total in if total > 8192 { progress.update(done, of: total) } }),
                    top: top == 0 ? nil : top, among: chosen, in: catalog)
            }
        }
        progress.finish()
        let style = TerminalStyle.standardOutput()
        if output.format == .table, style.isTerminal {
            StandardStreams.write(findings.map { PromptPage($0, style: style).text }.joined(separator: "\n"))
        } else {
            printRows(findings)
        }
    }

    private func printRows(_ findings: [PromptFindings]) {
        let isNamed = findings.count > 1
        output.print(
            columns: (isNamed ? ["dictionary"] : []) + PromptFindings.columns,
            rows: findings.lazy.flatMap { finding in
                finding.rows.map { (isNamed ? [Cell.text(finding.dictionary.name)] : []) + $0 }
            })
    }

    private func segments(of text: String, by reader: PromptReader) throws -> [TokenSegment] {
        guard chat else { return try reader.segments(of: text) }
        let settings = ChatSettings(system: system, date: date ?? ChatSettings.standardDate)
        let prompt = try ChatPrompts(settings, folder: reader.folder).prompt(text)
        let most = reader.folder.model.configuration.maximumPositions
        guard prompt.tokens.count <= most, prompt.tokens.count > prompt.prefix else {
            throw WorkflowError.usage(
                "the prompt has \(prompt.tokens.count) tokens; \(reader.folder.name) takes 1 … \(most)")
        }
        return [TokenSegment(document: 0, index: 0, start: 0, tokens: prompt.tokens, prefix: prompt.prefix)]
    }

    /// - Throws: `ValidationError` for what is no list of numbers from 0.
    private func chosenFeatures() throws -> Set<Int>? {
        guard let features else { return nil }
        let numbers = features.split(separator: ",", omittingEmptySubsequences: false).map { part in
            Int(part.trimmingCharacters(in: .whitespaces)).flatMap { $0 >= 0 ? $0 : nil }
        }
        let valid = numbers.compactMap(\.self)
        guard valid.count == numbers.count, !valid.isEmpty else {
            throw ValidationError("--features is '\(features)'; it takes numbers from 0 with commas, such as 7,12")
        }
        return Set(valid)
    }
}
