/// A grid of braille dots, two columns and four rows to a character.
struct DotCanvas {
    let columns: Int
    let rows: Int
    private let width: Int
    private var cells: [UInt8]

    /// The bit in U+2800…U+28FF of the dot at each row and column of a cell.
    private static let bits: [[UInt8]] = [[0x01, 0x08], [0x02, 0x10], [0x04, 0x20], [0x40, 0x80]]

    /// An empty grid of some characters' size.
    init(width: Int, height: Int) {
        self.width = width
        columns = 2 * width
        rows = 4 * height
        cells = Array(repeating: 0, count: width * height)
    }

    /// Sets the dots from one to another, both included.
    mutating func line(from start: (column: Int, row: Int), to end: (column: Int, row: Int)) {
        let steps = max(abs(end.column - start.column), abs(end.row - start.row), 1)
        for step in 0...steps {
            let share = Double(step) / Double(steps)
            set(
                column: start.column + Int((Double(end.column - start.column) * share).rounded()),
                row: start.row + Int((Double(end.row - start.row) * share).rounded())
            )
        }
    }

    private mutating func set(column: Int, row: Int) {
        cells[row / 4 * width + column / 2] |= Self.bits[row % 4][column % 2]
    }

    /// The characters, line by line from the top, blanks as spaces.
    var lines: [String] {
        stride(from: 0, to: cells.count, by: width).map { start in
            var line = ""
            for cell in cells[start..<start + width] {
                line.unicodeScalars.append(
                    cell == 0 ? " " : Unicode.Scalar(0x2800 + UInt32(cell)) ?? "?")
            }
            return line
        }
    }
}
