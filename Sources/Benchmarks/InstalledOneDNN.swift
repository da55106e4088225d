import Glibc
import LinearAlgebra

/// A product by the machine's oneDNN 2 (`libdnnl.so.2`), if installed, as a comparison. Nothing else uses it.
///
/// The functions are those of its C interface (`dnnl.h`); descriptions are structures of its own, which are passed
/// about here as bytes.
final class InstalledOneDNN {
    private typealias Handle = OpaquePointer
    private typealias Create = @convention(c) (UnsafeMutablePointer<Handle?>, Int32, Int) -> Int32
    private typealias CreateStream = @convention(c) (UnsafeMutablePointer<Handle?>, Handle?, UInt32) -> Int32
    private typealias DescribeStrides =
        @convention(c) (
            UnsafeMutableRawPointer, Int32, UnsafePointer<Int64>, Int32, UnsafePointer<Int64>
        ) -> Int32
    private typealias DescribeTag =
        @convention(c) (UnsafeMutableRawPointer, Int32, UnsafePointer<Int64>, Int32, Int32) -> Int32
    private typealias DescribeProduct =
        @convention(c) (
            UnsafeMutableRawPointer, UnsafeRawPointer, UnsafeRawPointer, UnsafeRawPointer?, UnsafeRawPointer
        ) -> Int32
    private typealias CreateDescription =
        @convention(c) (UnsafeMutablePointer<Handle?>, UnsafeRawPointer, Handle?, Handle?, Handle?) -> Int32
    private typealias CreateReorder =
        @convention(c) (
            UnsafeMutablePointer<Handle?>, UnsafeRawPointer, Handle?, UnsafeRawPointer, Handle?, Handle?
        ) -> Int32
    private typealias CreatePrimitive = @convention(c) (UnsafeMutablePointer<Handle?>, Handle?) -> Int32
    private typealias CreateMemory =
        @convention(c) (UnsafeMutablePointer<Handle?>, UnsafeRawPointer, Handle?, UnsafeMutableRawPointer) -> Int32
    private typealias Execute = @convention(c) (Handle?, Handle?, Int32, UnsafeRawPointer) -> Int32
    private typealias Wait = @convention(c) (Handle?) -> Int32
    private typealias Query = @convention(c) (Handle?, Int32, Int32) -> UnsafeRawPointer?
    private typealias Size = @convention(c) (UnsafeRawPointer) -> Int
    private typealias SetThreads = @convention(c) (Int32) -> Void

    private struct Argument {
        let place: Int32
        let memory: Handle?
    }

    /// Constants of `dnnl_types.h`.
    private enum Constant {
        static let cpu: Int32 = 1
        static let bf16: Int32 = 2
        static let f32: Int32 = 3
        static let anyLayout: Int32 = 1
        static let weightsDescription: Int32 = 131
        static let source: Int32 = 1
        static let target: Int32 = 17
        static let weights: Int32 = 33
    }

    private let engine: Handle?
    private let stream: Handle?
    private let primitive: Handle?
    private let arguments: [Argument]
    private let execute: Execute
    private let wait: Wait
    private let setThreads: SetThreads?
    private let packedWeights: UnsafeMutableRawPointer

    /// Prepares `C = A · Bᵀ`, row-major without gaps, `A [rows × inner]`, `B [columns × inner]`, both f32 or both bf16,
    /// `C [rows × columns]` f32. B is laid out once as oneDNN likes it best. Nil where the library is missing or refuses.
    init?(
        rows: Int, columns: Int, inner: Int, _ precision: Precision, _ a: UnsafeRawPointer,
        byTransposeOf b: UnsafeRawPointer, into c: UnsafeMutablePointer<Float>
    ) {
        guard let library = dlopen("libdnnl.so.2", RTLD_NOW | RTLD_LOCAL) else { return nil }
        func function<Function>(_ name: String, as type: Function.Type) -> Function? {
            dlsym(library, "dnnl_" + name).map { unsafeBitCast($0, to: type) }
        }
        guard let createEngine = function("engine_create", as: Create.self),
            let createStream = function("stream_create", as: CreateStream.self),
            let strides = function("memory_desc_init_by_strides", as: DescribeStrides.self),
            let tag = function("memory_desc_init_by_tag", as: DescribeTag.self),
            let product = function("matmul_desc_init", as: DescribeProduct.self),
            let createDescription = function("primitive_desc_create", as: CreateDescription.self),
            let createReorder = function("reorder_primitive_desc_create", as: CreateReorder.self),
            let createPrimitive = function("primitive_create", as: CreatePrimitive.self),
            let createMemory = function("memory_create", as: CreateMemory.self),
            let execute = function("primitive_execute", as: Execute.self),
            let wait = function("stream_wait", as: Wait.self),
            let query = function("primitive_desc_query_md", as: Query.self),
            let size = function("memory_desc_get_size", as: Size.self)
        else { return nil }
        self.execute = execute
        self.wait = wait
        setThreads = dlopen("libgomp.so.1", RTLD_NOW).flatMap { dlsym($0, "omp_set_num_threads") }.map {
            unsafeBitCast($0, to: SetThreads.self)
        }

        // Far more than either structure takes.
        let room = UnsafeMutableRawPointer.allocate(byteCount: 5 << 14, alignment: 64)
        defer { room.deallocate() }
        let part = 1 << 14
        let (aLayout, bLayout, best, cLayout, description) =
            (room, room + part, room + 2 * part, room + 3 * part, room + 4 * part)
        let (m, n, k) = (Int64(rows), Int64(columns), Int64(inner))
        let type = precision == .bf16 ? Constant.bf16 : Constant.f32
        var (engine, stream, wanted, primitive): (Handle?, Handle?, Handle?, Handle?)
        guard createEngine(&engine, Constant.cpu, 0) == 0, createStream(&stream, engine, 0) == 0,
            strides(aLayout, 2, [m, k], type, [k, 1]) == 0, strides(bLayout, 2, [k, n], type, [1, k]) == 0,
            strides(cLayout, 2, [m, n], Constant.f32, [n, 1]) == 0,
            tag(best, 2, [k, n], type, Constant.anyLayout) == 0,
            product(description, aLayout, best, nil, cLayout) == 0,
            createDescription(&wanted, description, nil, engine, nil) == 0, createPrimitive(&primitive, wanted) == 0,
            let layout = query(wanted, Constant.weightsDescription, 0)
        else { return nil }
        packedWeights = .allocate(byteCount: max(size(layout), 64), alignment: 4096)
        var (reorder, reordering, plain, packed): (Handle?, Handle?, Handle?, Handle?)
        var (source, target): (Handle?, Handle?)
        guard createMemory(&plain, bLayout, engine, UnsafeMutableRawPointer(mutating: b)) == 0,
            createMemory(&packed, layout, engine, packedWeights) == 0,
            createReorder(&reorder, bLayout, engine, layout, engine, nil) == 0,
            createPrimitive(&reordering, reorder) == 0,
            execute(
                reordering, stream, 2,
                [
                    Argument(place: Constant.source, memory: plain), Argument(place: Constant.target, memory: packed),
                ]) == 0, wait(stream) == 0,
            createMemory(&source, aLayout, engine, UnsafeMutableRawPointer(mutating: a)) == 0,
            createMemory(&target, cLayout, engine, c) == 0
        else {
            packedWeights.deallocate()
            return nil
        }
        self.engine = engine
        self.stream = stream
        self.primitive = primitive
        arguments = [
            Argument(place: Constant.source, memory: source), Argument(place: Constant.weights, memory: packed),
            Argument(place: Constant.target, memory: target),
        ]
    }

    deinit { packedWeights.deallocate() }

    /// Computes the product.
    func multiply(threads: Int) {
        setThreads?(Int32(clamping: threads))
        _ = execute(primitive, stream, Int32(arguments.count), arguments)
        _ = wait(stream)
    }
}
