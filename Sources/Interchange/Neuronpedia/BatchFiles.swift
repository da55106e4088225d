import ActivationPipeline

/// The files `batch-N.jsonl.gz` of one table. A file ends where it is as large as one insert of Neuronpedia's importer may
/// be, by half.
final class BatchFiles {
    /// Lines of a file; the importer takes 65,000 at once.
    private static let lineLimit = 32_768
    /// Bytes of a file before compression; the importer takes about 200 MB at once.
    private static let byteLimit = 1 << 26

    private let folder: String
    private var open: (file: NewFile, stream: GzipStream)?
    private var fileCount = 0
    private var lineCount = 0
    private var byteCount = 0

    /// Names the folder, which is made with the first line.
    init(_ folder: String) { self.folder = folder }

    /// Adds a line.
    ///
    /// - Throws: `WorkflowError.cannotWrite`.
    func append(_ line: JSONLine) throws(WorkflowError) {
        let bytes = line.bytes + [0x0A]
        if lineCount == Self.lineLimit || lineCount > 0 && byteCount + bytes.count > Self.byteLimit { try finish() }
        let current: (file: NewFile, stream: GzipStream)
        if let open {
            current = open
        } else {
            if fileCount == 0 { try NewFile.makeFolder(folder) }
            current = (try NewFile("\(folder)/batch-\(fileCount).jsonl.gz"), GzipStream())
            fileCount += 1
            open = current
        }
        try current.stream.append(bytes) { bytes throws(WorkflowError) in try current.file.write(bytes) }
        lineCount += 1
        byteCount += bytes.count
    }

    /// Ends the file that is open, if one is.
    ///
    /// - Throws: `WorkflowError.cannotWrite`.
    func finish() throws(WorkflowError) {
        guard let current = open else { return }
        try current.stream.finish { bytes throws(WorkflowError) in try current.file.write(bytes) }
        try current.file.close()
        open = nil
        (lineCount, byteCount) = (0, 0)
    }
}
