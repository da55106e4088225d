import Foundation
import Glibc
import Safetensors
import TestSupport
import Testing

@Suite struct MappedFileTests {
    /// Several pages.
    private func written(_ directory: TemporaryDirectory, _ elements: [Float]) throws -> String {
        let path = directory.file("a.safetensors")
        let writer = try SafetensorsWriter(
            path: path, tensors: [(name: "x", dtype: .f32, shape: [elements.count])], overwrite: true)
        try writer.append("x", floats: elements)
        try writer.finish()
        return path
    }

    @Test("A mapped tensor has the bytes of the file") func bytesAreTheFiles() throws {
        let directory = try TemporaryDirectory()
        let elements = (0..<50_000).map { Float($0) }
        let file = try SafetensorsFile(path: written(directory, elements))
        let bytes = try file.tensor("x").byteRange
        let mapped = try file.map()
        for (place, element) in elements.enumerated() {
            #expect((mapped.start + bytes.lowerBound + 4 * place).loadUnaligned(as: Float.self) == element)
        }
        try mapped.check()
        #expect(try file.map() === mapped)
    }

    @Test("What a shortened file lacks reads as zeros, and the check throws") func aShortenedFile() throws {
        let directory = try TemporaryDirectory()
        let path = try written(directory, [Float](repeating: 1, count: 50_000))
        let file = try SafetensorsFile(path: path)
        let bytes = try file.tensor("x").byteRange
        let mapped = try file.map()
        #expect(truncate(path, 100_000) == 0)
        func element(_ place: Int) -> Float {
            (mapped.start + bytes.lowerBound + 4 * place).loadUnaligned(as: Float.self)
        }
        #expect(element(100) == 1)
        try mapped.check()
        #expect(element(49_999) == 0)
        #expect(throws: SafetensorsError.shortened(path: path, opened: file.byteCount, found: 100_000)) {
            try mapped.check()
        }
    }
}
