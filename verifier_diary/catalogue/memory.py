"""Accesses whose place or permission could not be proved."""

from __future__ import annotations

from verifier_diary.catalogue.entry import MEMORY, ErrorClass

CLASSES = (
    ErrorClass(
        id="packet_bounds",
        title="Packet read or written beyond what was checked",
        category=MEMORY,
        rank=10,
        patterns=(r"invalid access to packet\b", r"R\d+ offset is outside of the packet"),
        meaning="Packet bytes exist only as far as a comparison with `data_end` has shown; `r=` in "
        "the register's state says how far that is.",
        cause="No comparison dominates the access, it covers fewer bytes than are touched, it was "
        "made with another pointer than the one in use, the offset varies without a bound, or a "
        "helper that may move the packet has voided older pointers.",
        cure="Compare `(void *)(header + 1) > data_end` right before the access, with the pointer "
        "that is dereferenced; bound a variable offset first; fetch `data` and `data_end` again "
        "after helpers that change the packet.",
    ),
    ErrorClass(
        id="map_value_bounds",
        title="Access beyond a map value or key",
        category=MEMORY,
        rank=12,
        patterns=(
            r"invalid access to map (value|key)",
            r"invalid access to flow keys off=|invalid variable offset to flow keys",
            r"R\d+ (min|max) value is outside of the (allowed memory|array) range",
        ),
        meaning="The offset into the value, added to the size of the access, can pass the value's "
        "size. Global variables are map values too.",
        cause="An index that may be one too large or has no upper bound, a check on another "
        "variable than the one that indexes, or a structure larger than the map declares.",
        cure="Compare the very index with the number of elements just before the use, or mask it "
        "with SIZE - 1 where SIZE is a power of two.",
    ),
    ErrorClass(
        id="readonly_write",
        title="Memory that may not be written (or read) this way",
        category=MEMORY,
        rank=14,
        patterns=(
            r"cannot write into packet",
            r"R\d+ cannot write into ",
            r"(write into|read from) map forbidden",
            r"write to change key R\d+ not allowed",
            r"the prog does not allow writes to packet data",
            r"does not point to a readonly map",
            r"BPF_(ATOMIC|XADD) (stores into|loads from) R\d+ \S+ is not allowed",
            r"BPF_ST stores into R\d+",
        ),
        meaning="The place is known, but the map's flags, the kind of memory or the program type "
        "forbid this access.",
        cause="Writing to the packet from a program type that may only read it, to `.rodata` or a "
        "map frozen for programs, to a map key, or to a read-only slice; an atomic operation on "
        "memory that has none.",
        cure="Write to a copy, or to a map without BPF_F_RDONLY_PROG; change packets in XDP or tc "
        "programs.",
    ),
    ErrorClass(
        id="stack_bounds",
        title="Stack access out of the frame, or at an offset that is not fixed",
        category=MEMORY,
        rank=13,
        patterns=(
            r"invalid( write to| read from| (in)?direct access to)? ?stack (R\d+|type)",
            r"invalid (write to|read from|access to) stack R\d+ off=",
            r"invalid (unbounded )?variable-offset",
            r"invalid stack (off|type)",
            r"variable stack access prohibited for !root",
            r"stack pointer arithmetic goes out of range",
            r"variable offset stack",
        ),
        meaning="A frame has 512 bytes below R10, and each access must lie inside them for every "
        "value that its offset can have. To unprivileged programs, and on kernels before 6.3 to "
        "all, a frame that is read ends with the lowest byte that was written.",
        cause="Locals beyond 512 bytes, a local array indexed by a variable without a bound, the "
        "address of such an element passed to a helper, or a local read before it is written.",
        cure="Bound the index by the array's size, use constant indexes, or move the buffer into a "
        "per-CPU array map.",
    ),
    ErrorClass(
        id="ptr_math_unbounded",
        title="Unbounded number added to a pointer",
        category=MEMORY,
        rank=10,
        patterns=(
            r"math between \S+ pointer and register with unbounded min value is not allowed",
            r"cannot add integer value with -?\d+ upper zero bits to ptr_to_packet",
        ),
        meaning="The least value of the number that is added is not known; the sum could lie "
        "anywhere before the object.",
        cause="A signed or freshly loaded variable becomes an offset before anything bounds it.",
        cure="Bound it first, from both sides if it is signed; make it unsigned or mask it.",
    ),
    ErrorClass(
        id="ptr_math_range",
        title="Offset beyond what a pointer may carry",
        category=MEMORY,
        rank=10,
        patterns=(
            r"math between \S+ pointer and -?\d+ is not allowed",
            r"\S+ pointer offset -?\d+ is not allowed",
            r"value -?\d+ makes \S+ pointer be out of bounds",
            r"addition of negative constant to packet pointer is not allowed",
        ),
        meaning="Offsets of pointers must stay within +-2^29.",
        cause="A huge constant, a product that may overflow, or a sign error: -1 read as "
        "4294967295.",
        cure="Bound the number before it is added, and look for overflow and sign extension on the "
        "way to it.",
    ),
    ErrorClass(
        id="misaligned",
        title="Access at an address that is not a multiple of its size",
        category=MEMORY,
        rank=10,
        patterns=(
            r"misaligned (\S+ )*access off",
            r"Only byte-sized access allowed in packet",
        ),
        meaning="Stack and context accesses must be aligned everywhere, packet and map accesses "
        "where the machine or BPF_F_STRICT_ALIGNMENT asks for it.",
        cause="A char buffer read as a wider type, a packed structure, or a stack offset that is "
        "not a multiple of the width.",
        cure="Align the buffer with `__attribute__((aligned(8)))`, or copy the bytes with "
        "__builtin_memcpy().",
    ),
    ErrorClass(
        id="unbounded_index",
        title="Variable offset without a proven bound",
        category=MEMORY,
        rank=12,
        patterns=(
            r"R\d+ unbounded memory access, make sure to bounds check",
            r"R\d+ min value is negative, either use unsigned index",
        ),
        meaning="The offset has no known maximum, or may be negative.",
        cause="An index read from memory or computed at run time and never compared, a check that "
        "the compiler moved to another register, or a signed index compared from above only.",
        cure="Make the index unsigned and compare it with a constant close to the access; "
        "`barrier_var(i)` behind the comparison keeps clang from working on another copy.",
    ),
    ErrorClass(
        id="btf_struct_access",
        title="Access to a kernel or socket object that its type does not allow",
        category=MEMORY,
        rank=16,
        patterns=(
            r"access beyond struct ",
            r"access beyond the end of member",
            r"cannot access ptr member",
            r"doesn't have field at offset",
            r"direct access to \S+ is disallowed",
            r"R\d+ is (ptr_)?\S+ invalid (negative access|variable offset)",
            r"R\d+ is ptr_\S+ access (user|percpu) memory",
            r"^only read (from \S+ )?is supported",
            r"R\d+ invalid \S+ access off=",
            r"'struct \S+' access is allowed only to CAP_PERFMON",
            r"Cannot access kernel 'struct",
            r"map_ptr access not supported",
            r"Type '\S+' is not a struct",
            r"^no (read|write) support to \S+ at off",
        ),
        meaning="The verifier follows kernel objects by their BTF types: whole fields, inside the "
        "structure, mostly read-only.",
        cause="A read across the end of a field or structure, a write to a kernel object, or a "
        "layout that differs from the one compiled against.",
        cure="Access whole fields, through CO-RE (`preserve_access_index`, BPF_CORE_READ); change "
        "kernel objects only through helpers and kfuncs made for it.",
    ),
    ErrorClass(
        id="stack_uninit",
        title="Stack bytes read that were never written",
        category=MEMORY,
        rank=11,
        patterns=(
            r"invalid( indirect)? read from stack( R\d+)? (off|var_off) "
            r"?(-?\d+|\(\S+ \S+\))\+",
            r"invalid indirect read from stack",
            r"reading from stack .*slot poisoned by dead code elimination",
        ),
        meaning="Bytes of the frame would be read that hold no data: `off A+B size S` names byte B "
        "of S bytes at fp+A.",
        cause="A structure for a helper (key, value, buffer) whose padding or some field was never "
        "set, or a local that is read before it is written.",
        cure="Zero the whole object first: `= {}` with padding as explicit fields, or "
        "__builtin_memset().",
    ),
    ErrorClass(
        id="mem_bounds",
        title="Access beyond a memory region of known size",
        category=MEMORY,
        rank=11,
        patterns=(
            r"invalid access to memory, mem_size=",
            r"R\d+ invalid (\w+ )?buffer access: off=|invalid negative \w+ buffer offset",
            r"R\d+ invalid variable buffer offset",
        ),
        meaning="Ring-buffer records, dynptr slices, iterator and tracepoint buffers and sized "
        "arguments end where their size says.",
        cause="The offset passes the size that was reserved or declared, or varies without a "
        "bound.",
        cure="Reserve as much as is written, and keep offset + size below it with a constant or a "
        "bounded offset.",
    ),
)
