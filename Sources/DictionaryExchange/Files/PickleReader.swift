/// Reads the pickle of a state dict: dicts, lists, tuples, texts, numbers and tensors, in protocols 2 to 5.
///
/// A pickle is a program for a machine with a stack that may name any function to be called. This machine knows the
/// opcodes that `torch.save` uses for tensors, and of functions the few in `PickledGlobal`, which it does not call
/// either: it notes what they are given. Everything else is refused by name. Work and memory are bounded by
/// `PickleLimits`, and nothing here recurses.
struct PickleReader {
    let bytes: [UInt8]
    let path: String
    /// What is read, for messages.
    let place: String

    var position = 0
    /// Where the opcode that is carried out begins.
    var operation = 0
    var stack: [PickledValue] = []
    /// The sizes that the stack had at the marks.
    var marks: [Int] = []
    var memo: [Int: PickledValue] = [:]
    var objects = PickledObjects()

    /// Reads a pickle.
    ///
    /// - Parameters:
    ///   - bytes: all of it.
    ///   - path: the file, for messages.
    ///   - place: the entry of the file, for messages.
    /// - Throws: for a pickle that is cut off, asks for anything that a state dict does not need, or for too much.
    static func read(_ bytes: [UInt8], path: String, place: String) throws(WeightFileError) -> PickledObjects {
        var reader = PickleReader(bytes: bytes, path: path, place: place)
        try reader.run()
        return reader.objects
    }

    private init(bytes: [UInt8], path: String, place: String) {
        self.bytes = bytes
        self.path = path
        self.place = place
    }

    /// The error of a problem at the current opcode.
    func refusal(_ problem: String) -> WeightFileError {
        WeightFileError(path: path, problem: "\(place), byte \(operation): \(problem)")
    }

    private mutating func run() throws(WeightFileError) {
        guard bytes.count <= PickleLimits.bytes else {
            throw refusal("has \(bytes.count) bytes, at most \(PickleLimits.bytes) are read")
        }
        guard bytes.count >= 2, bytes[0] == PickleOperation.protocol.rawValue, (2...5).contains(bytes[1]) else {
            throw refusal("is no pickle of protocol 2 to 5; save it with a current torch")
        }
        position = 2
        var count = 0
        while true {
            operation = position
            let code = try byte()
            guard let known = PickleOperation(rawValue: code) else {
                let name = PickleOperation.refused[code] ?? "0x\(String(code, radix: 16))"
                throw refusal(
                    "uses the opcode \(name), which a state dict of tensors does not need; "
                        + "save only tensors, numbers and texts")
            }
            if known == .stop { break }
            count += 1
            guard count <= PickleLimits.operations else {
                throw refusal("has more than \(PickleLimits.operations) opcodes")
            }
            try perform(known)
        }
        guard marks.isEmpty, stack.count == 1, position == bytes.count else {
            throw refusal("ends with \(stack.count) values and \(bytes.count - position) bytes left, expected 1 and 0")
        }
        objects.root = stack[0]
    }

    private mutating func perform(_ operation: PickleOperation) throws(WeightFileError) {
        switch operation {
        case .protocol, .stop: throw refusal("states its protocol again")
        case .frame: try skipFrame()
        case .mark:
            guard marks.count < PickleLimits.marks else {
                throw refusal("is nested more than \(PickleLimits.marks) deep")
            }
            marks.append(stack.count)
        case .none: stack.append(.none)
        case .true: stack.append(.boolean(true))
        case .false: stack.append(.boolean(false))
        case .byteInteger, .shortInteger, .integer, .longInteger, .longerInteger: stack.append(try number(operation))
        case .number: stack.append(.number(Double(bitPattern: UInt64(bigEndian: try field(UInt64.self)))))
        case .shortText: try pushText(Int(try byte()))
        case .text: try pushText(Int(try field(UInt32.self)))
        case .longText: try pushText(try length())
        case .emptyTuple, .emptyList: try pushSequence([])
        case .tuple: try pushSequence(try popToMark())
        case .tuple1: try pushSequence(try pop(1))
        case .tuple2: try pushSequence(try pop(2))
        case .tuple3: try pushSequence(try pop(3))
        case .emptyDictionary: try pushDictionary()
        case .append: try append(pop(1))
        case .appends: try append(popToMark())
        case .setItem: try setItems(pop(2))
        case .setItems: try setItems(popToMark())
        case .put: try remember(Int(try byte()))
        case .longPut: try remember(Int(try field(UInt32.self)))
        case .memoize: try remember(memo.count)
        case .get: try recall(Int(try byte()))
        case .longGet: try recall(Int(try field(UInt32.self)))
        case .global: try pushGlobal(module: line(), name: line())
        case .stackGlobal: try pushNamedGlobal()
        case .persistentID: try pushStorage(pop(1)[0])
        case .reduce: try reduce()
        case .build: try build()
        }
    }

    private mutating func remember(_ number: Int) throws(WeightFileError) {
        guard let value = stack.last, stack.count > marks.last ?? 0 else { throw refusal("has no value to remember") }
        memo[number] = value
        guard memo.count <= PickleLimits.memo else {
            throw refusal("remembers more than \(PickleLimits.memo) values")
        }
    }

    private mutating func recall(_ number: Int) throws(WeightFileError) {
        guard let value = memo[number] else { throw refusal("asks for value \(number), which it has not remembered") }
        stack.append(value)
    }

    private mutating func append(_ items: [PickledValue]) throws(WeightFileError) {
        guard case .sequence(let index)? = stack.last, stack.count > marks.last ?? 0 else {
            throw refusal("adds an item to something that is no list")
        }
        objects.sequences[index].append(contentsOf: items)
    }

    private mutating func setItems(_ items: [PickledValue]) throws(WeightFileError) {
        guard case .dictionary(let index)? = stack.last, stack.count > marks.last ?? 0, items.count % 2 == 0 else {
            throw refusal("sets an item of something that is no dict")
        }
        for place in stride(from: 0, to: items.count, by: 2) {
            objects.dictionaries[index].append((items[place], items[place + 1]))
        }
    }
}
