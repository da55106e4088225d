import Foundation
import JSON

/// The public model that a folder holds, as far as its files say.
struct ModelPublication: Equatable {
    /// The publisher's name for it, such as `meta-llama/Llama-3.2-1B`.
    var name: String?
    /// The commit at the publisher.
    var revision: String?

    /// Reads `config.json` (`_name_or_path`, `_commit_hash`) and the folder's position in a cache of the Hugging Face
    /// hub, `models--ORG--NAME/snapshots/REVISION`.
    ///
    /// A local path saved in `_name_or_path` is not a name.
    init(folder: String) {
        let parts = URL(filePath: folder).standardizedFileURL.resolvingSymlinksInPath().pathComponents
        if let snapshots = parts.lastIndex(of: "snapshots"), snapshots > 0, snapshots + 1 < parts.count,
            parts[snapshots - 1].hasPrefix("models--")
        {
            name = Self.name(String(parts[snapshots - 1].dropFirst(8)).replacing("--", with: "/"))
            revision = Self.revision(parts[snapshots + 1])
        }
        guard let content = FileManager.default.contents(atPath: folder + "/config.json"),
            let config = try? JSONParser.parse(content, rules: .lenient)
        else { return }
        if case .string(let text)? = config["_name_or_path"] { name = Self.name(text) ?? name }
        if case .string(let text)? = config["_commit_hash"] { revision = Self.revision(text) ?? revision }
    }

    /// A name as the hub has it: one part, or two with a slash between.
    private static func name(_ text: String) -> String? {
        let parts = text.split(separator: "/", omittingEmptySubsequences: false)
        let isName =
            (1...2).contains(parts.count)
            && parts.allSatisfy { part in
                part.utf8.count <= 96 && part.utf8.first.map(isLetterOrDigit) == true
                    && part.utf8.allSatisfy { isLetterOrDigit($0) || "-_.".utf8.contains($0) }
            }
        return isName ? text : nil
    }

    private static func revision(_ text: String) -> String? {
        text.utf8.count == 40 && text.utf8.allSatisfy { "0123456789abcdef".utf8.contains($0) } ? text : nil
    }

    private static func isLetterOrDigit(_ byte: UInt8) -> Bool {
        (0x30...0x39).contains(byte) || (0x41...0x5A).contains(byte) || (0x61...0x7A).contains(byte)
    }
}
