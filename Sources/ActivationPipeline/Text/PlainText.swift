import Foundation

/// A short text file that is read as a whole, such as one of prompts.
package enum PlainText {
    /// Reads a file as UTF-8, or as what its byte-order mark says, which is not part of the text.
    ///
    /// - Parameter what: what the file is, for messages.
    /// - Throws: `WorkflowError.missing`; `.badInput` for a file that is not text.
    package static func read(_ path: String, what: String) throws -> String {
        let kind = FileKind(path)
        guard kind == .plain || kind == .pipe || kind == .missing else {
            throw WorkflowError.badInput(path: path, problem: kind.problem)
        }
        guard let data = FileManager.default.contents(atPath: path) else {
            throw WorkflowError.missing(path: path, what: what)
        }

        let bytes = Array(data)
        return try bytes.withUnsafeBytes { bytes in
            let (encoding, mark) = TextEncoding.marked(bytes)
            let own = UnsafeRawBufferPointer(rebasing: bytes[mark...])
            if encoding == .utf8 {
                guard let text = String(validating: own, as: UTF8.self) else {
                    throw WorkflowError.badInput(path: path, problem: "is not UTF-8 text")
                }
                return text
            }

            let (text, invalid, _) = encoding.utf8(of: own)
            guard invalid == 0 else {
                throw WorkflowError.badInput(path: path, problem: "is not the text that its byte-order mark says")
            }
            return String(decoding: text, as: UTF8.self)
        }
    }
}
