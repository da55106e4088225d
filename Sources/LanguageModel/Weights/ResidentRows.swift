import LinearAlgebra

/// A matrix with a row for every token, in memory, packed for products. A row that holds an infinity or a NaN is an
/// error only when it is used: rows that only pad the vocabulary may hold anything.
struct ResidentRows: Sendable {
    /// `[vocabularySize × dModel]`
    let matrix: PackedMatrix
    /// The unusable rows, and the first bad element of each, counted over the whole matrix.
    private let bad: [Int: Int]
    private let file: WeightFile
    private let name: String

    /// Reads a tensor into some storage.
    ///
    /// - Throws: `.weights`.
    init(
        _ name: String, of file: WeightFile, rows: Int, columns: Int, in storage: MatrixStorage, workers: Workers
    ) throws(LanguageModelError) {
        self.name = name
        self.file = file
        matrix = PackedMatrix(rows: rows, columns: columns, halved: file.isHalved(name), wide: true, in: storage)
        bad = try file.readRows(name, into: matrix, workers: workers)
    }

    /// Writes a row, `[dModel]`, to `target`.
    ///
    /// - Throws: `.nonFiniteWeight`.
    func copyRow(_ row: Int, to target: UnsafeMutablePointer<Float>) throws(LanguageModelError) {
        try check(row..<row + 1)
        matrix.copyRow(row, to: target)
    }

    /// Checks that some rows can be used.
    ///
    /// - Throws: `.nonFiniteWeight`.
    func check(_ rows: Range<Int>) throws(LanguageModelError) {
        guard !bad.isEmpty, let row = bad.keys.filter({ rows.contains($0) }).min(), let element = bad[row] else {
            return
        }
        throw file.nonFinite(name, element: element)
    }
}
