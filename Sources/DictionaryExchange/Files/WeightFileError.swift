package import Safetensors

/// Why a file of weights could not be read: one line that names the file, what was expected and found, and what to do.
package struct WeightFileError: Error, Sendable, Equatable, CustomStringConvertible {
    /// The file.
    package let path: String
    /// What is wrong with it.
    package let problem: String
    /// Whether there is no such file.
    package let isMissing: Bool

    /// Makes an error of a path and a problem, without the path in it.
    package init(path: String, problem: String, isMissing: Bool = false) {
        self.path = path
        self.problem = problem
        self.isMissing = isMissing
    }

    /// The path and the problem.
    package var description: String { "\(path): \(problem)" }
}

extension WeightFileError {
    /// The error of a reader below as one of this file.
    package init(_ error: SafetensorsError, path: String) {
        let text = error.description
        let prefix = path + ": "
        let isMissing = if case .missing = error { true } else { false }
        self.init(
            path: path, problem: text.hasPrefix(prefix) ? String(text.dropFirst(prefix.count)) : text,
            isMissing: isMissing)
    }

    /// Scalars of a stranger's text that a message shows.
    private static let shownScalars = 80

    /// A stranger's text for a message: in quotation marks, on one line, cut where it is long.
    static func quoted(_ text: String) -> String {
        var shown = "\""
        for scalar in text.unicodeScalars.prefix(shownScalars) {
            switch scalar.properties.generalCategory {
            case .control, .format, .lineSeparator, .paragraphSeparator, .privateUse, .unassigned, .surrogate:
                shown += "\\u{\(String(scalar.value, radix: 16))}"
            default:
                shown.unicodeScalars.append(scalar)
            }
        }
        if text.unicodeScalars.dropFirst(shownScalars).first != nil { shown += "…" }
        return shown + "\""
    }

    /// Names for a message: the first few, and how many others there are.
    static func brief(_ names: [String]) -> String {
        let shown = names.prefix(8).map { quoted($0) }.joined(separator: ", ")
        return names.count > 8 ? "\(shown) and \(names.count - 8) more" : shown
    }
}
