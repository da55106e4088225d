import LinearAlgebra
import Safetensors

extension WeightFile {
    /// A tensor of bf16 where it lies in its file, without a copy.
    ///
    /// - Throws: `.weights` if the file cannot be mapped.
    func map(_ name: String, rows: Int, columns: Int) throws(LanguageModelError) -> BF16Matrix {
        let stored = storedName(of: name)
        do {
            let file = try collection.file(of: stored)
            let bytes = try file.tensor(stored).byteRange
            precondition(bytes.count == 2 * rows * columns, "\(bytes.count) bytes for [\(rows) × \(columns)] bf16")
            let mapped = try file.map()
            return BF16Matrix(rows: rows, columns: columns, bytes: mapped.start + bytes.lowerBound, owner: mapped)
        } catch {
            throw .weights(error)
        }
    }

    /// Checks that all that was read of mapped files was there.
    ///
    /// - Throws: `.weights`.
    func checkMappings() throws(LanguageModelError) {
        do { try collection.checkMappings() } catch { throw .weights(error) }
    }
}
