package import FeatureCatalog
import Foundation
import Glibc

/// A collection of documents: `.txt` files (one document each) and `.jsonl` files (one a line, key `text`).
///
/// When it is opened every file is read once: its digest is computed, its records are checked, and the position of each
/// document is noted, 32 bytes a document. Documents are read on demand; one that has changed since is an
/// error.
package final class TextCorpus: Sendable {
    /// One file of the corpus.
    package struct File: Sendable, Equatable {
        /// Its path as given or found.
        package let path: String
        /// Its size in bytes.
        package let bytes: Int
        /// SHA-256 of its bytes, hexadecimal.
        package let sha256: String
    }

    /// The files, in order: as given; those of a folder by path.
    package let files: [File]
    /// Warnings about the text: replaced bytes and skipped files. Whole lines.
    package let remarks: [String]
    /// The number of documents.
    package var count: Int { places.count }

    private let contents: [TextFileContents]
    private let places: [TextPlace]

    /// Files kept open: a share of the process's limit.
    private static var mostOpenFiles: Int {
        var limit = rlimit()
        guard getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0 else { return 16 }
        return min(200, Int(clamping: limit.rlim_cur) / 4)
    }

    /// Finds the files, reads them and notes the position of each document.
    ///
    /// - Throws: `WorkflowError.missing` for a path that is not there, `.badInput` for a file of another kind, a folder
    ///   without text, text that is empty altogether, a line that is not an object with a string `text`, and text of
    ///   which more than a few bytes are invalid.
    package init(paths: [String]) throws {
        guard !paths.isEmpty else { throw WorkflowError.usage("name the text with `text` FILE or FOLDER") }
        let found = try TextFiles(paths)
        let mostOpenFiles = TextCorpus.mostOpenFiles
        var files: [File] = []
        var contents: [TextFileContents] = []
        var places: [TextPlace] = []
        var faults = TextFaultSum()
        var isBlank = true
        for path in found.paths {
            let file = try TextFile(path)
            var scan = TextFileScan(number: files.count)
            let (digest, bytes) = try scan.run(over: file, into: &places)
            try faults.add(scan.faults, path: path, bytes: bytes)
            isBlank = isBlank && scan.isBlank
            files.append(File(path: path, bytes: bytes, sha256: digest))
            contents.append(
                TextFileContents(
                    path: path, encoding: scan.encoding, file: files.count <= mostOpenFiles ? file : nil))
        }
        guard !isBlank else {
            throw WorkflowError.badInput(path: paths.joined(separator: ", "), problem: "holds no text")
        }
        try faults.check()
        self.files = files
        self.contents = contents
        self.places = places
        remarks = found.remarks + faults.remarks
    }

    /// Reads one document.
    ///
    /// - Throws: `WorkflowError.badInput` naming file and line where it is not what it was when the corpus was opened.
    package func document(_ index: Int) throws -> TextDocument {
        try contents[Int(places[index].file)].document(at: places[index])
    }
}

extension TextCorpus {
    /// A display name: the files' names.
    package var name: String {
        let names = files.map { URL(filePath: $0.path).deletingPathExtension().lastPathComponent }
        return names.count > 6
            ? names[..<5].joined(separator: "+") + "+\(names.count - 5) more" : names.joined(separator: "+")
    }

    /// The inputs that a run records of the corpus.
    package var inputs: [RunInput] {
        files.map { file in
            RunInput(
                role: "text", name: URL(filePath: file.path).lastPathComponent, sha256: file.sha256, bytes: file.bytes)
        }
    }

    /// One digest for the whole corpus.
    package var digest: String {
        sha256(of: Data(files.map(\.sha256).joined(separator: "\n").utf8))
    }
}
