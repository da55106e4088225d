import DictionaryExchange
import TestSupport
import Testing

/// Tensors whose elements do not lie row-major, against a loop over their indices.
@Suite struct StridedTensorTests {
    /// The elements of a view of a storage whose every element is its own index, row-major.
    private func naive(offset: Int, shape: [Int], strides: [Int]) -> [Float] {
        var places = [offset]
        for (extent, stride) in zip(shape, strides) {
            places = places.flatMap { place in (0..<extent).map { place + $0 * stride } }
        }
        return places.map { Float($0) }
    }

    private func check(count: Int, offset: Int = 0, shape: [Int], strides: [Int]) throws {
        let directory = try TemporaryDirectory()
        let bytes = torchFile(floats: (0..<count).map { Float($0) }, offset: offset, shape: shape, strides: strides)
        let file = try PyTorchFile(path: directory.write(bytes, as: "a.pt"))
        let expected = naive(offset: offset, shape: shape, strides: strides)
        #expect(try file.floats("t") == expected, "\(shape) \(strides)")

        // Ranges that begin and end within rows, on their borders, and of one element.
        let columns = shape.last ?? 1
        let rows = [0, 1, 3, 64, expected.count / columns - 1].filter { $0 * columns < expected.count && $0 >= 0 }
        let starts = Set(rows.flatMap { [$0 * columns, $0 * columns + columns / 2, $0 * columns + columns - 1] })
        for start in starts {
            for length in [0, 1, columns - 1, columns, columns + 1, 5 * columns + 2] {
                let end = min(start + length, expected.count)
                var part = [Float](repeating: .nan, count: max(end - start, 1))
                try part.withUnsafeMutableBufferPointer { buffer in
                    guard let target = buffer.baseAddress else { return }
                    try file.readFloats("t", elements: start..<end, into: target)
                }
                guard end > start else { continue }
                try #require(part == Array(expected[start..<end]), "\(shape) \(strides), \(start)..<\(end)")
            }
        }
    }

    @Test func smallViewsOfEveryOrderOfAxesAreRead() throws {
        // Storages of 2 × 3 × 4 with a gap behind rows and planes, axes in every order.
        let axes = [(2, 20), (3, 6), (4, 1)]
        for order in [[0, 1, 2], [0, 2, 1], [1, 0, 2], [1, 2, 0], [2, 0, 1], [2, 1, 0]] {
            try check(count: 40, offset: 1, shape: order.map { axes[$0].0 }, strides: order.map { axes[$0].1 })
        }
    }

    @Test func axesOfOneElementAndRepeatedOnesAreRead() throws {
        try check(count: 12, shape: [3, 1, 4], strides: [1, 99, 3])
        try check(count: 12, shape: [1, 12], strides: [7, 1])
        try check(count: 12, shape: [5, 4], strides: [0, 1])
        try check(count: 12, shape: [4, 5], strides: [1, 0])
        try check(count: 12, shape: [2, 3, 2], strides: [0, 1, 0])
        try check(count: 12, shape: [4, 6], strides: [2, 1])
    }

    @Test func transposedMatricesLargerThanARunAreRead() throws {
        try check(count: 130 * 4200, shape: [4200, 130], strides: [1, 4200])
        try check(count: 5000 * 70, shape: [70, 5000], strides: [1, 70])
        try check(count: 131 * 130, shape: [130, 131], strides: [1, 130])
    }

    @Test func slicesOfLargerMatricesAreRead() throws {
        try check(count: 70 * 6000, offset: 5, shape: [70, 5000], strides: [6000, 1])
        try check(count: 70 * 6000, offset: 2, shape: [70, 2000], strides: [6000, 3])
        try check(count: 70 * 6000, offset: 3, shape: [70], strides: [6000])
        try check(count: 70 * 6000, offset: 2, shape: [2000, 70], strides: [3, 6000])
        try check(count: 9 * 10 * 2000, shape: [10, 2000, 9], strides: [1, 90, 10])
    }
}
