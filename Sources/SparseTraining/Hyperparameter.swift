import SparseCoding
import Vocabulary

/// One hyperparameter: its help, its default, what is allowed and where it has no place. Each is said here alone.
package struct Hyperparameter<Value: Sendable>: Sendable {
    /// Its property's name, for messages.
    let name: String
    /// What the command line says of it, its default included.
    package let help: String
    private let allowed: Allowed<Value>
    private let standard: (@Sendable (TrainingSetup) -> Value)?
    private let place: Place

    /// Declares a hyperparameter.
    ///
    /// - Parameters:
    ///   - place: where a value may be chosen; elsewhere it would be passed over in silence.
    ///   - standard: the value where none is chosen; nil where that means none.
    init(
        _ name: String, _ help: String, _ allowed: Allowed<Value>,
        place: Place = .everywhere,
        standard: (@Sendable (TrainingSetup) -> Value)? = nil
    ) {
        (self.name, self.help, self.allowed) = (name, help, allowed)
        (self.place, self.standard) = (place, standard)
    }

    /// Which dictionaries a value may be chosen for.
    struct Place: Sendable {
        /// Why a value has no place in a dictionary; nil where it has.
        let objection: @Sendable (Value, DictionaryConfiguration) -> String?

        static var everywhere: Place { Place { _, _ in nil } }
        static func unless(_ objection: @escaping @Sendable (Value, DictionaryConfiguration) -> String?) -> Place {
            Place(objection: objection)
        }
    }

    /// Checks that a value that was chosen has a place in a dictionary.
    ///
    /// - Throws: `SparseCodingError.setting` where it has none.
    func checkPlace(_ chosen: Value?, in configuration: DictionaryConfiguration) throws(SparseCodingError) {
        guard let chosen, let reason = place.objection(chosen, configuration) else { return }
        throw .setting(
            name: "`\(name)`", found: "given", allowed: "none for \(configuration.architecture.rawValue): \(reason)")
    }

    /// The value that was chosen, or the default.
    ///
    /// - Throws: `SparseCodingError.setting` for a value out of range.
    func value(_ chosen: Value?, _ setup: TrainingSetup) throws(SparseCodingError) -> Value {
        guard let value = try checked(chosen ?? standard?(setup)) else {
            preconditionFailure("\(name) has no default")
        }
        return value
    }

    /// The value that was chosen, if one was.
    ///
    /// - Throws: `SparseCodingError.setting` for a value out of range.
    func checked(_ chosen: Value?) throws(SparseCodingError) -> Value? {
        if let chosen { try allowed.check(chosen, name) }
        return chosen
    }
}

/// What defaults depend on.
struct TrainingSetup: Sendable {
    /// The dictionary's shape and rules.
    let configuration: DictionaryConfiguration
    /// Tokens of a batch.
    let batchTokens: Int
    /// Number of steps.
    let steps: Int

    /// Whether the dictionary follows the corrected rules.
    var corrected: Bool { configuration.fidelity == .corrected }
}
