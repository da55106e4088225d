import Crypto
package import Foundation
import Safetensors

/// SHA-256 of bytes, hexadecimal.
package func sha256(of data: some DataProtocol) -> String {
    hexadecimal(SHA256.hash(data: data))
}

/// SHA-256 of a file and its size, read in pieces.
///
/// - Throws: `WorkflowError.missing` where it cannot be opened, `.badInput` where reading fails.
package func sha256(ofFile path: String) throws -> (digest: String, bytes: Int) {
    let kind = FileKind(path)
    // Opening a pipe would block until somebody writes; a device may never end.
    guard kind == .plain || kind == .missing else { throw WorkflowError.badInput(path: path, problem: kind.problem) }
    guard let file = FileHandle(forReadingAtPath: path) else { throw WorkflowError.missing(path: path, what: "file") }
    defer { try? file.close() }
    var hash = SHA256()
    var bytes = 0
    do {
        while let piece = try file.read(upToCount: 1 << 22), !piece.isEmpty {
            hash.update(data: piece)
            bytes += piece.count
        }
    } catch {
        throw WorkflowError.badInput(path: path, problem: "cannot be read (\(error.systemReason))")
    }
    return (hexadecimal(hash.finalize()), bytes)
}

/// A digest's hexadecimal digits.
func hexadecimal(_ digest: SHA256.Digest) -> String {
    digest.map { byte in
        let text = String(byte, radix: 16)
        return byte < 16 ? "0" + text : text
    }.joined()
}
