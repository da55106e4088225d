/// Why a dictionary of another program could not be imported.
package struct ForeignDictionaryError: Error, Sendable, Equatable, CustomStringConvertible {
    /// What kind of problem it is.
    package enum Kind: Sendable, Equatable {
        /// A file or folder is not there.
        case missing
        /// Nothing at the path, or several things, can be taken for a dictionary.
        case unrecognised
        /// A file breaks the rules of its format, or two of its statements contradict each other.
        case malformed
        /// The files do not say something that an option can say.
        case notSaid
        /// An option contradicts the files, or does not apply to them.
        case contradiction
        /// The dictionary is sound, and this program cannot represent it.
        case refused
    }

    /// What kind of problem it is.
    package let kind: Kind
    /// The file or folder.
    package let path: String
    /// What is wrong and what to do, as one line without the path.
    package let reason: String

    /// Describes a problem; control characters that come from a file are replaced, so that it stays one line.
    package init(_ kind: Kind, _ path: String, _ reason: String) {
        self.kind = kind
        self.path = path
        self.reason = reason.oneLine
    }

    /// One line: the path, what is wrong there, and what to do.
    package var description: String { "\(path.oneLine): \(reason)" }
}

extension String {
    /// The text with every control character replaced by a space.
    fileprivate var oneLine: String {
        let isClean = unicodeScalars.allSatisfy { !$0.properties.isControl }
        return isClean
            ? self : String(String.UnicodeScalarView(unicodeScalars.map { $0.properties.isControl ? " " : $0 }))
    }

    /// The text in quotes, on one line, cut where it is long.
    var quoted: String { WeightFileError.quoted(self) }
}

extension Unicode.Scalar.Properties {
    fileprivate var isControl: Bool {
        switch generalCategory {
        case .control, .format, .lineSeparator, .paragraphSeparator: true
        default: false
        }
    }
}
