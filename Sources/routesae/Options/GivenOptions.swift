import ArgumentParser
import Training

/// The given options of some groups, under their property names: a document to merge over another one.
enum GivenOptions {
    /// Reads the groups.
    ///
    /// - Throws: `EncodingError` for a value that JSON lacks.
    static func document(_ groups: any ParsableArguments...) throws -> SettingsDocument {
        var document = SettingsDocument()
        for group in groups {
            for child in Mirror(reflecting: group).children {
                // A wrapped property is stored under its name with '_' before it.
                guard let label = child.label, let value = (child.value as? any GivenOption)?.given else { continue }
                try document.set(String(label.dropFirst()), value)
            }
        }
        return document
    }
}

/// An option or flag that knows whether it was given: its value may be nil, or a list.
private protocol GivenOption {
    /// Its value; nil if not given.
    var given: (any Encodable)? { get }
}

extension Option: GivenOption {
    fileprivate var given: (any Encodable)? { GivenValue.of(wrappedValue) }
}

extension Flag: GivenOption {
    fileprivate var given: (any Encodable)? { GivenValue.of(wrappedValue) }
}

private enum GivenValue {
    static func of(_ value: Any) -> (any Encodable)? {
        if let list = value as? [String] { return list.isEmpty ? nil : list }
        let optional = Mirror(reflecting: value)
        precondition(optional.displayStyle == .optional, "a setting's option may be left out, so its value may be nil")
        return optional.children.first?.value as? any Encodable
    }
}
