/// The faults of all files of a corpus together.
struct TextFaultSum {
    private var invalid = 0
    private var bytes = 0
    private var files = 0
    private var first: (path: String, faults: TextFaults)?

    /// Adds a file.
    ///
    /// - Throws: `WorkflowError.badInput` for one that has more than a few by itself.
    mutating func add(_ faults: TextFaults, path: String, bytes: Int) throws(WorkflowError) {
        try faults.check(path: path, bytes: bytes)
        self.bytes += bytes
        guard faults.invalid > 0 else { return }
        invalid += faults.invalid
        files += 1
        first = first ?? (path, faults)
    }

    /// Refuses a text whose files have a few each, but many together.
    func check() throws(WorkflowError) {
        guard let first, invalid > TextFaults.most(ofBytes: bytes) else { return }
        throw .badInput(
            path: first.path,
            problem:
                "\(first.faults.invalid) of its bytes are no text of its encoding, the first at \(first.faults.first), and "
                + "\(invalid) of all \(files) such files; \(first.faults.remedy)")
    }

    /// Warnings, one line each.
    var remarks: [String] {
        guard let first else { return [] }
        let others = files > 1 ? "; \(invalid) in \(files) such files together" : ""
        return [
            "warning: \(first.path): \(first.faults.invalid) of its bytes are no text of its encoding, the first at "
                + "\(first.faults.first), and became U+FFFD\(others); \(first.faults.remedy)"
        ]
    }
}
