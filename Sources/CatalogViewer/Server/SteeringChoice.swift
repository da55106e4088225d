import ActivationPipeline
import FeatureCatalog
import Foundation
import SparseCoding
import Steering
import Vocabulary

/// What a continuation changes: the fields of the form as they were filled in.
struct SteeringChoice {
    /// Tokens that may be generated.
    static let mostTokens = 100
    /// Tokens generated unless another number is asked for.
    static let usualTokens = 40

    /// The feature's number.
    var feature: String
    /// The operation's name.
    var operation: String
    /// The strength, in units of the activation, or a factor.
    var strength: String
    /// The most tokens generated.
    var tokens: String
    /// The temperature; empty for the likeliest token at each step.
    var temperature: String
    /// The seed of the draws.
    var seed: String

    /// Takes the fields. A feature that is picked from a list comes before the one that is written.
    init(_ fields: FormFields) {
        feature = Self.trimmed(fields["pick"] ?? fields["feature"])
        operation = fields["operation"] ?? EditOperation.set.rawValue
        strength = Self.trimmed(fields["strength"])
        tokens = Self.trimmed(fields["tokens"] ?? "\(Self.usualTokens)")
        temperature = Self.trimmed(fields["temperature"])
        seed = Self.trimmed(fields["seed"] ?? "0")
    }

    private static func trimmed(_ text: String?) -> String {
        // No number of these is longer.
        String((text ?? "").prefix(64)).trimmingCharacters(in: .whitespaces)
    }

    /// The number of the feature, if it is one of a dictionary's.
    func number(in record: DictionaryRecord) -> Int? {
        Int(digits: feature).flatMap { (0..<record.latentCount).contains($0) ? $0 : nil }
    }

    /// The settings of the workflow: those that the command has for the same fields.
    ///
    /// - Throws: `ViewerProblem` 400 for a field that cannot be.
    func settings(on text: String, of record: DictionaryRecord) throws(ViewerProblem) -> SteeringSettings {
        guard !feature.isEmpty else { throw ViewerProblem(400, "name the feature to steer with") }
        guard let number = number(in: record) else {
            throw ViewerProblem(
                400, "there is no feature \(feature); \(record.name) has 0 … \(record.latentCount - 1)")
        }
        guard let operation = EditOperation(rawValue: operation) else {
            throw ViewerProblem(
                400, "the operation is one of " + EditOperation.allCases.map(\.rawValue).joined(separator: ", "))
        }
        guard let strength = Double(strength), strength.isFinite else {
            throw ViewerProblem(400, "the strength is \"\(strength)\"; it takes a number")
        }
        guard let tokens = Int(digits: tokens), (1...Self.mostTokens).contains(tokens) else {
            throw ViewerProblem(
                400, "the number of tokens is \"\(tokens)\"; it takes 1 … \(Self.mostTokens), more in the terminal")
        }
        let heat = temperature.isEmpty ? nil : Double(temperature)
        guard temperature.isEmpty || heat.map({ $0.isFinite && $0 > 0 }) == true else {
            throw ViewerProblem(
                400,
                "the temperature is \"\(temperature)\"; it takes a number above 0, or nothing for the likeliest token"
            )
        }
        guard let seed = UInt64(seed) else {
            throw ViewerProblem(400, "the seed is \"\(seed)\"; it takes a whole number from 0")
        }
        return SteeringSettings(
            dictionary: record.name, model: "",
            edits: [LatentEdit(feature: number, operation: operation, strength: strength)],
            prompts: [text], tokens: tokens, temperature: heat, seed: seed)
    }

    /// The command that gives the same texts, for a prompt and a dictionary as addresses name it.
    ///
    /// - Parameter spelling: turns names of settings in backticks into what a person types.
    func command(on text: String, dictionary: String, spelling: (String) -> String) -> String {
        // What the person wrote is not searched for names of settings.
        let prompt = spelling("`prompt`") + (text.hasPrefix("-") ? "=" : " ") + ShellWord.quoted(text, isFile: false)
        var words = [
            spelling("routesae steer CATALOG `model` DIR `dictionary`"), ShellWord.quoted(dictionary, isFile: false),
            spelling("`feature` \(feature) `\(operation)` \(strength)"), prompt, spelling("`tokens` \(tokens)"),
        ]
        if !temperature.isEmpty { words.append(spelling("`temperature` \(temperature)")) }
        if seed != "0" { words.append(spelling("`seed` \(seed)")) }
        return (words + [spelling("`noSave`")]).joined(separator: " ")
    }
}
