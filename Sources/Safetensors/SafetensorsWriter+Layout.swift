internal import Glibc

extension SafetensorsWriter {
    /// The layout of a file to be written.
    struct Layout {
        /// The length and the padded JSON.
        var header: [UInt8]
        var tensors: [String: TensorDescription]
        var fileSize: Int
    }

    /// Lays a file out and forms its header.
    ///
    /// - Throws: `.cannotWrite`.
    static func layOut(
        _ tensors: [(name: String, dtype: TensorDType, shape: [Int])], metadata: [String: String], path: String
    ) throws(SafetensorsError) -> Layout {
        // The sort is stable, so tensors of one element size keep the order given.
        let ordered = tensors.sorted { $0.dtype.byteCount > $1.dtype.byteCount }
        var entries: [String] = []
        if !metadata.isEmpty {
            let pairs = metadata.sorted { $0.key < $1.key }.map { "\(quoted($0.key)):\(quoted($0.value))" }
            entries.append("\(quoted(SafetensorsHeader.metadataKey)):{\(pairs.joined(separator: ","))}")
        }

        var ranges: [String: Range<Int>] = [:]
        var end = 0
        for tensor in ordered {
            guard tensor.name != SafetensorsHeader.metadataKey, ranges[tensor.name] == nil else {
                throw .cannotWrite(path: path, reason: "the tensor name \"\(tensor.name)\" is reserved or used twice")
            }
            guard let size = TensorDescription.byteCount(dtype: tensor.dtype, shape: tensor.shape),
                // Leaves room for the largest header, so that no later sum can overflow.
                size <= Int.max - 2 * SafetensorsHeader.maximumLength - end
            else {
                throw .cannotWrite(
                    path: path, reason: "tensor \"\(tensor.name)\" of shape \(tensor.shape) is too large")
            }
            ranges[tensor.name] = end..<end + size
            let shape = tensor.shape.map(String.init).joined(separator: ",")
            entries.append(
                "\(quoted(tensor.name)):{\"dtype\":\"\(tensor.dtype.rawValue)\",\"shape\":[\(shape)],"
                    + "\"data_offsets\":[\(end),\(end + size)]}"
            )
            end += size
        }

        var json = Array("{\(entries.joined(separator: ","))}".utf8)
        // Eight bytes of length and a multiple of eight of JSON leave the data aligned for every type.
        json.append(contentsOf: repeatElement(UInt8(ascii: " "), count: (8 - json.count % 8) % 8))
        guard json.count <= SafetensorsHeader.maximumLength else {
            throw .cannotWrite(
                path: path, reason: "its header would have \(json.count) bytes, the format allows 100 MB")
        }

        let header = withUnsafeBytes(of: UInt64(json.count).littleEndian, Array.init) + json
        let start = header.count
        var descriptions: [String: TensorDescription] = [:]
        for tensor in ordered {
            guard let range = ranges[tensor.name] else { continue }
            descriptions[tensor.name] = TensorDescription(
                name: tensor.name, dtype: tensor.dtype, shape: tensor.shape,
                byteRange: start + range.lowerBound..<start + range.upperBound
            )
        }
        return Layout(header: header, tensors: descriptions, fileSize: start + end)
    }

    /// Opens a partial file that no other writer has open, whether or not an interrupted one left it behind.
    ///
    /// - Throws: `.cannotWrite`.
    static func openExclusively(_ path: String) throws(SafetensorsError) -> Int32 {
        while true {
            let descriptor = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0o666)
            guard descriptor >= 0 else { throw .cannotWrite(path: path, reason: systemErrorText()) }
            guard flock(descriptor, LOCK_EX | LOCK_NB) == 0 else {
                let reason = errno == EWOULDBLOCK ? "another writer is at work on it" : systemErrorText()
                close(descriptor)
                throw .cannotWrite(path: path, reason: reason)
            }
            // Another writer may have finished or given up between the two calls; what is open is then its file.
            var opened = stat()
            var named = stat()
            if fstat(descriptor, &opened) == 0, lstat(path, &named) == 0, opened.st_ino == named.st_ino,
                opened.st_dev == named.st_dev
            {
                return descriptor
            }
            close(descriptor)
        }
    }

    /// A string as JSON.
    private static func quoted(_ text: String) -> String {
        var result = "\""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\"": result += "\\\""
            case "\\": result += "\\\\"
            case "\n": result += "\\n"
            case ..<" ":
                let digits = String(scalar.value, radix: 16)
                result += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
            default: result.unicodeScalars.append(scalar)
            }
        }
        return result + "\""
    }
}
