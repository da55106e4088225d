import Foundation

/// A collection of documents: `.txt` files (one document each) and `.jsonl` files (one a line, key `text`).
///
/// Files stay mapped; only where each document lies is kept in memory, 24 bytes a document.
public final class TextCorpus: Sendable {
    /// One file of the corpus.
    public struct File: Sendable, Equatable {
        /// Its path as given or found.
        public let path: String
        /// Its size in bytes.
        public let bytes: Int
        /// SHA-256 of its bytes, hexadecimal.
        public let sha256: String
    }

    private struct Place: Sendable {
        let file: Int
        let line: Int
        let range: Range<Int>
    }

    /// The files, in order: as given; those of a folder by path.
    public let files: [File]
    /// The number of documents.
    public var count: Int { places.count }

    private let contents: [Data]
    private let places: [Place]

    /// Finds and maps the files and notes where each document lies.
    ///
    /// - Throws: `WorkflowError.missing` for a path that is not there, `.badInput` for a file of another kind, a folder
    ///   without text, or text that is empty altogether.
    public init(paths: [String]) throws {
        guard !paths.isEmpty else { throw WorkflowError.usage("name the text with --text FILE or FOLDER") }
        var files: [File] = []
        var contents: [Data] = []
        var places: [Place] = []
        var blank = 0
        for path in try paths.flatMap(TextCorpus.textFiles) {
            let data: Data
            do { data = try Data(contentsOf: URL(filePath: path), options: .mappedIfSafe) } catch {
                throw WorkflowError.badInput(path: path, problem: "cannot be read (\(error.localizedDescription))")
            }
            if path.hasSuffix(".jsonl") {
                for (line, range) in TextCorpus.lines(of: data).enumerated() where !TextCorpus.isBlank(data[range]) {
                    places.append(Place(file: files.count, line: line + 1, range: range))
                }
            } else {
                // A blank file is a document too, if one without a word: documents are numbered by files.
                places.append(Place(file: files.count, line: 1, range: data.indices))
                blank += TextCorpus.isBlank(data) ? 1 : 0
            }
            files.append(File(path: path, bytes: data.count, sha256: sha256(of: data)))
            contents.append(data)
        }
        guard places.count > blank else {
            throw WorkflowError.badInput(path: paths.joined(separator: ", "), problem: "holds no text")
        }
        self.files = files
        self.contents = contents
        self.places = places
    }

    /// Reads one document.
    ///
    /// - Throws: `WorkflowError.badInput` naming file and line where a record is not an object with a string `text`.
    public func document(_ index: Int) throws -> TextDocument {
        let place = places[index]
        let file = files[place.file]
        let bytes = contents[place.file][place.range]
        let name = URL(filePath: file.path).lastPathComponent
        guard file.path.hasSuffix(".jsonl") else {
            return TextDocument(title: name, source: name, text: String(decoding: bytes, as: UTF8.self))
        }
        // Repaired first: a stray byte in a string is no reason to lose a document.
        let line = Data(String(decoding: bytes, as: UTF8.self).utf8)
        let record = (try? JSONSerialization.jsonObject(with: line)) as? [String: Any]
        guard let text = record?["text"] as? String else {
            throw WorkflowError.badInput(
                path: "\(file.path):\(place.line)", problem: "is not a JSON object with a string named 'text'")
        }
        return TextDocument(
            title: record?["title"] as? String ?? "\(name):\(place.line)",
            source: record?["source"] as? String ?? name,
            text: text)
    }

    private static func textFiles(at path: String) throws -> [String] {
        var isFolder: ObjCBool = false
        guard FileManager.default.fileExists(atPath: path, isDirectory: &isFolder) else {
            throw WorkflowError.missing(path: path, what: "file or folder of text")
        }
        let isText = { (name: String) in name.hasSuffix(".txt") || name.hasSuffix(".jsonl") }
        guard isFolder.boolValue else {
            guard isText(path) else {
                throw WorkflowError.badInput(path: path, problem: "is neither .txt nor .jsonl, which are read as text")
            }
            return [path]
        }
        let names = (FileManager.default.enumerator(atPath: path)?.allObjects ?? []).compactMap { $0 as? String }
        let found = names.filter { isText($0) && !$0.split(separator: "/").contains { $0.hasPrefix(".") } }
        guard !found.isEmpty else {
            throw WorkflowError.badInput(path: path, problem: "holds no .txt or .jsonl file")
        }
        return found.sorted().map { path.hasSuffix("/") ? path + $0 : path + "/" + $0 }
    }

    private static func lines(of data: Data) -> [Range<Int>] {
        var ranges: [Range<Int>] = []
        data.withUnsafeBytes { bytes in
            var start = 0
            while start < bytes.count {
                let rest = bytes.count - start
                let found = memchr(bytes.baseAddress! + start, 0x0A, rest)
                let end = found.map { $0 - UnsafeMutableRawPointer(mutating: bytes.baseAddress!) } ?? bytes.count
                ranges.append(start..<end)
                start = end + 1
            }
        }
        return ranges
    }

    private static func isBlank(_ bytes: Data) -> Bool {
        bytes.allSatisfy { $0 == 0x20 || (0x09...0x0D).contains($0) }
    }
}

extension TextCorpus {
    /// A name for people: the files' names.
    var name: String {
        let names = files.map { URL(filePath: $0.path).deletingPathExtension().lastPathComponent }
        return names.count > 6
            ? names[..<5].joined(separator: "+") + "+\(names.count - 5) more" : names.joined(separator: "+")
    }
}
