import Safetensors

extension ReadableFile {
    /// Opens a file of weights.
    ///
    /// - Throws: if it is not there or cannot be read.
    convenience init(weights path: String) throws(WeightFileError) {
        do throws(SafetensorsError) { try self.init(path: path) } catch { throw WeightFileError(error, path: path) }
    }

    /// A range of the bytes, as a copy.
    ///
    /// - Throws: if the file cannot be read or has become shorter.
    func weightBytes(_ range: Range<Int>) throws(WeightFileError) -> [UInt8] {
        do throws(SafetensorsError) { return try bytes(range) } catch { throw WeightFileError(error, path: path) }
    }
}
