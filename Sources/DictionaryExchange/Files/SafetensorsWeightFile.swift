package import JSON
import Safetensors

/// A safetensors file as a file of weights. The texts of its metadata are its values.
package struct SafetensorsWeightFile: WeightFile {
    /// Where the file was opened.
    package let path: String
    /// The texts of the metadata.
    package let values: [String: JSONValue]
    private let file: SafetensorsFile

    /// Integers converted at a time.
    private static let pieceElements = 1 << 14

    /// Opens a file and checks its header.
    ///
    /// - Throws: for a file that cannot be read or breaks a rule of the format.
    package init(path: String) throws(WeightFileError) {
        do throws(SafetensorsError) { file = try SafetensorsFile(path: path) } catch {
            throw WeightFileError(error, path: path)
        }
        self.path = path
        values = file.metadata.mapValues { .string($0) }
    }

    /// The tensors' names in the order of their data.
    package var names: [String] { file.names }

    /// The description of a tensor, nil if the file has none of this name that can be read.
    package func entry(_ name: String) -> WeightEntry? {
        guard let tensor = file.tensors[name] else { return nil }
        return WeightEntry(
            name: tensor.name, dtype: tensor.dtype, shape: tensor.shape, elementCount: tensor.elementCount)
    }

    /// Some elements of a tensor as `Float`, as the protocol says.
    ///
    /// - Throws: as the protocol says.
    package func readFloats(
        _ name: String, elements: Range<Int>, into target: UnsafeMutablePointer<Float>
    ) throws(WeightFileError) {
        let entry = try required(name)
        try checkReadable(entry)
        try check(elements, of: entry)
        do throws(SafetensorsError) {
            if entry.dtype.isConvertibleToFloat {
                return try file.readFloats(name, elements: elements, into: target)
            }
            if entry.dtype == .u64 {
                throw .wrongDType(name: name, path: path, expected: "a type of at most 63 bits", found: .u64)
            }
            for start in stride(from: elements.lowerBound, to: elements.upperBound, by: Self.pieceElements) {
                let piece = start..<min(start + Self.pieceElements, elements.upperBound)
                for (index, value) in try file.integers(name, elements: piece).enumerated() {
                    target[start - elements.lowerBound + index] = Float(value)
                }
            }
        } catch {
            throw WeightFileError(error, path: path)
        }
    }

    /// The value of a tensor of one element, as the protocol says.
    ///
    /// - Throws: as the protocol says.
    package func scalar(_ name: String) throws(WeightFileError) -> Double {
        let entry = try required(name)
        try checkScalar(entry)
        do {
            return try file.withBytes(of: name) { ElementConversion.double($0, dtype: entry.dtype) }
        } catch let error as SafetensorsError {
            throw WeightFileError(error, path: path)
        } catch {
            throw WeightFileError(path: path, problem: "\(error)")
        }
    }

    /// Why a tensor of this name cannot be read.
    package func missing(_ name: String) -> WeightFileError {
        do throws(SafetensorsError) { _ = try file.tensor(name) } catch {
            // An element type that is not known is told by name; a tensor that is not there with those that are.
            if case .malformed = error { return WeightFileError(error, path: path) }
        }
        return absent(name)
    }
}
