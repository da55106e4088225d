import JSON
import SparseCoding
import Vocabulary

/// The normalisation of a dictionary's input as an export records it beside what the other program reads.
///
/// The key is `routesae_input`: in `metadata` of SAELens's `cfg.json`, whose `layer_norm` has an epsilon of its own, and
/// in `cfg.json` of sparsify, which normalises nothing. Its value is `{"rule": "layer_norm", "epsilon": 1e-06}` or
/// `{"rule": "unit_norm"}`. A scale is folded into the weights and not recorded.
enum RecordedInput {
    /// The key.
    static let key = "routesae_input"
    /// The key beside it that an export for SAELens always has.
    static let versionKey = "routesae_version"

    /// What is recorded; nil for a stream that is read as it is, once a scale is in the weights.
    static func value(_ input: InputNormalization) -> JSONValue? {
        switch input {
        case .none, .scale: nil
        case .layerNorm(let epsilon):
            .object(["rule": .string(InputRule.layerNorm.rawValue), "epsilon": .number(epsilon)])
        case .unitNorm: .object(["rule": .string(InputRule.unitNorm.rawValue)])
        }
    }

    /// Reads it from the object that has the key; nil without the key.
    ///
    /// - Throws: `.malformed` for anything that no export writes.
    static func read(_ file: ConfigurationFile) throws(ForeignDictionaryError) -> InputNormalization? {
        guard let recorded = try file.object(key) else { return nil }
        let epsilon = try recorded.number("epsilon")
        let input: InputNormalization
        switch try recorded.text("rule") {
        case InputRule.layerNorm.rawValue:
            guard let made = try? InputNormalization(.layerNorm, epsilon: epsilon) else {
                throw recorded.wrong("epsilon", expected: "a number from 0 to 1")
            }
            input = made
        case InputRule.unitNorm.rawValue:
            guard epsilon == nil else { throw recorded.wrong("epsilon", expected: "none beside rule unit_norm") }
            input = .unitNorm
        default: throw recorded.wrong("rule", expected: "layer_norm or unit_norm")
        }
        if let other = recorded.values.members.first(where: { $0.name != "rule" && $0.name != "epsilon" }) {
            throw recorded.wrong(other.name, expected: "no other keys than rule and epsilon")
        }
        return input
    }
}
