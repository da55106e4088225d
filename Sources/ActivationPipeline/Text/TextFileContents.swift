import Crypto
import Foundation

/// A text file of a corpus, from which documents are read.
struct TextFileContents: Sendable {
    let path: String
    let encoding: TextEncoding
    /// The file, where it is kept open.
    let file: TextFile?

    private var name: String { URL(filePath: path).lastPathComponent }

    /// Reads a document again.
    ///
    /// - Throws: `WorkflowError.badInput` if its bytes have changed.
    func document(at place: TextPlace) throws -> TextDocument {
        let file = try self.file ?? TextFile(path)
        let hasLines = TextFiles.isLines(path)
        // The digest of a file that is one document is that of all its bytes, a mark among them.
        let bytes = try file.bytes((hasLines ? place.start : 0)..<place.end)
        guard TextPlace.checksum(SHA256.hash(data: bytes)) == place.checksum else {
            throw WorkflowError.badInput(
                path: hasLines ? "\(path):\(place.line)" : path, problem: "has changed since this run began to read it")
        }
        return try bytes.withUnsafeBytes { bytes in
            let own = UnsafeRawBufferPointer(rebasing: bytes[(hasLines ? 0 : place.start)...])
            guard encoding != .utf8 else { return try document(own, place, hasLines: hasLines) }
            return try encoding.utf8(of: own).text.withUnsafeBytes { try document($0, place, hasLines: hasLines) }
        }
    }

    /// Makes a document of bytes of UTF-8.
    private func document(
        _ bytes: UnsafeRawBufferPointer, _ place: TextPlace, hasLines: Bool
    ) throws -> TextDocument {
        guard hasLines else {
            return TextDocument(title: name, source: name, text: String(decoding: bytes, as: UTF8.self))
        }

        let record = try TextRecord(bytes)
        func string(_ range: Range<Int>?) -> String? {
            range.flatMap { try? JSONStringContent(UnsafeRawBufferPointer(rebasing: bytes[$0])) }
                .map { String(decoding: $0.utf8, as: UTF8.self) }
        }
        return TextDocument(
            title: string(record.title) ?? "\(name):\(place.line)", source: string(record.source) ?? name,
            text: string(record.text) ?? "")
    }
}
