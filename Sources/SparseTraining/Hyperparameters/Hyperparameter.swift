import SparseCoding
import Vocabulary

/// One hyperparameter: its help, default, allowed values and applicability, all defined here only.
package struct Hyperparameter<Value: Sendable>: Sendable {
    /// Its property's name, for messages.
    let name: String
    /// Its help on the command line, including the default.
    package let help: String
    private let allowed: Allowed<Value>
    private let standard: (@Sendable (TrainingSetup) -> Value)?
    private let place: Place

    /// Declares a hyperparameter.
    ///
    /// - Parameters:
    ///   - place: the dictionaries it applies to; elsewhere it is refused.
    ///   - standard: the default; nil if there is none.
    init(
        _ name: String, _ help: String, _ allowed: Allowed<Value>,
        place: Place = .everywhere,
        standard: (@Sendable (TrainingSetup) -> Value)? = nil
    ) {
        (self.name, self.help, self.allowed) = (name, help, allowed)
        (self.place, self.standard) = (place, standard)
    }

    /// The dictionaries to which a value applies.
    struct Place: Sendable {
        /// Why a value does not apply to a dictionary; nil if it does.
        let objection: @Sendable (Value, DictionaryConfiguration) -> String?

        static var everywhere: Place { Place { _, _ in nil } }
        static func unless(_ objection: @escaping @Sendable (Value, DictionaryConfiguration) -> String?) -> Place {
            Place(objection: objection)
        }
        /// For routers whose gradient is a choice; values that change nothing are allowed everywhere.
        static func routerChoice(_ matters: @escaping @Sendable (Value) -> Bool = { _ in true }) -> Place {
            Place { value, configuration in
                configuration.choosesRouterGradient || !matters(value)
                    ? nil : "only corrected hard routing of several layers has a choice"
            }
        }
    }

    /// Checks that a chosen value applies to a dictionary.
    ///
    /// - Throws: `SparseCodingError.setting` if it does not.
    func checkPlace(_ chosen: Value?, in configuration: DictionaryConfiguration) throws(SparseCodingError) {
        guard let chosen, let reason = place.objection(chosen, configuration) else { return }
        throw .setting(
            name: "`\(name)`", found: "given", allowed: "none for \(configuration.trainedName): \(reason)")
    }

    /// The chosen value, or the default.
    ///
    /// - Throws: `SparseCodingError.setting` for a value out of range.
    func value(_ chosen: Value?, _ setup: TrainingSetup) throws(SparseCodingError) -> Value {
        guard let value = try checked(chosen ?? standard?(setup)) else {
            preconditionFailure("\(name) has no default")
        }
        return value
    }

    /// The chosen value, if any.
    ///
    /// - Throws: `SparseCodingError.setting` for a value out of range.
    func checked(_ chosen: Value?) throws(SparseCodingError) -> Value? {
        if let chosen { try allowed.check(chosen, "`\(name)`") }
        return chosen
    }
}

/// The inputs of defaults.
struct TrainingSetup: Sendable {
    /// The dictionary's architecture, sizes and rules.
    let configuration: DictionaryConfiguration
    /// Tokens of a batch.
    let batchTokens: Int
    /// Number of steps.
    let steps: Int

    /// Whether the dictionary follows the corrected rules.
    var corrected: Bool { configuration.fidelity == .corrected }
}
