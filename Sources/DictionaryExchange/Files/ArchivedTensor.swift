import Safetensors

/// A tensor in a zip archive. The CRC-32 of the entry that holds its values is checked before the first is read.
package struct ArchivedTensor: Sendable {
    let stored: StoredTensor
    /// The entry that the values lie in, perhaps with those of others.
    let entry: ZipEntry
    let archive: ZipArchive

    /// Some elements as `Float`, counted row-major over the shape.
    ///
    /// - Precondition: the tensor has these elements, and their type is readable.
    /// - Throws: for damaged values and a file that cannot be read.
    func readFloats(_ elements: Range<Int>, into target: UnsafeMutablePointer<Float>) throws(WeightFileError) {
        try archive.verify(entry)
        do throws(SafetensorsError) { try stored.readFloats(elements, from: archive.file, into: target) } catch {
            throw WeightFileError(error, path: archive.path)
        }
    }

    /// The value of the only element.
    ///
    /// - Precondition: there is one, and its type is readable.
    /// - Throws: as `readFloats`.
    func scalar() throws(WeightFileError) -> Double {
        try archive.verify(entry)
        do throws(SafetensorsError) { return try stored.scalar(from: archive.file) } catch {
            throw WeightFileError(error, path: archive.path)
        }
    }
}
