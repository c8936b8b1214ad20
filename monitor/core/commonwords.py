"""Words that many people choose as their password, alone, with figures at the end, or two together (rude ones too); no list was copied for it."""

from __future__ import annotations

from typing import Final

CHOSEN: Final = frozenset(
    """
    access admin administrator amazon android apple change changeme compaq computer database default dell demo
    desktop developer digital engineer enter example facebook forever forget forgot gameboy gamecube gmail goodbye
    google guest hallo hardware hello hey hotmail intel internet iphone keyboard laptop letmein linkedin linux login
    logitech logon manager master microsoft money monitor motorola mypass mypassword myspace network newpassword
    nintendo nokia nothing office online openup oracle panasonic pass passcode passion passport passwd password
    passwort playstation please power private programmer public root sample samsung secret secure security server
    service software something sony support system temp temporary test tester testing toshiba twitter ubuntu user
    webmaster website welcome whatever windows wordpass xbox yahoo youtube
    abdullah alejandra alejandro aleksandr aleksandra alexander alexandra alexandre alexis allison amanda anastasia
    anderson andrea andrew angela angelina annette anthony antonio ashley barbara benjamin bernard bernie bradley
    brandon brandy brittany cameron candice carlos carmen carolina caroline cassandra cassie catherine celeste
    chandler charles charlie charlotte chelsea cheyenne christian christina christine christopher christy claudia
    courtney cynthia daniel danielle deborah dennis derrick dmitriy dolores dominic dominique donald douglas eduardo
    ekaterina eleanor elizabeth emmanuel esmeralda eugene evelyn fatima felicia ferdinand fernanda fernando florence
    francesco francis francisco frederic frederick gabriel gabrielle ganesh garrett geoffrey george gerald geraldine
    gilbert giovanni gonzalez gregory guillermo guinevere gustavo harold harriet harrison heather hernandez howard
    ibrahim isabella jackson jacqueline jasmine jeffrey jennifer jeremy jerome jessica johnny johnson jonathan
    jonathon jordan joseph josephine joshua julian julie justin katelyn katerina katherine kathleen kathryn katrina
    kenneth kevin kimberly krishna kristen kristin kristina kristine lakshmi lawrence leonard leonardo lindsay
    lindsey lorenzo lorraine lucille ludmila mackenzie madeline madison malcolm marcus margaret maria marianne marie
    marilyn marina marshall martin martina martinez matthew maurice maximilian maxwell melanie melissa mercedes
    michael michelle miranda mitchell mohamed mohammed monica monique morgan muhammad mustafa natalia natalie
    natasha nathalie nathaniel nicholas nicole olivia patricia patrick philippe phillip preston priyanka rachel
    ramirez raymond rebecca reginald ricardo richard robert roberto rodriguez rosemary russell sabrina samantha
    sanchez sandra savannah sebastian sergey shannon sharon sidney simone sophie spencer srinivas stephanie stephen
    steven stewart summer suzanne svetlana tatiana theodore theresa thomas tiffany timothy travis trevor tristan
    valentin valentina valerie vanessa veronica veronika veronique victoria vincent virginia vladimir wesley william
    winston yuliya
    absolut angel angelface angels baby babyboy babydoll babyface babygirl beautiful believe beloved bestfriend
    blessed blessing blueberry bubblegum bubbles budlight buttercup butterfly caramel cherries chocolate christ
    cinnamon cocacola cookies corona creative crystal cupcake darling daylight destiny diamond diamonds dietcoke
    dragonfly dreamer dreaming dreams drpepper emerald eternity family fantasy firefly freedom friend friends
    godisgood golden goldfish goodluck gorgeous guinness handsome happiness happy harmony heaven heavenly heineken
    honey honeybee icecream ilovegod ilovesex iloveu iloveyou imagine infinity jesus jesuschrist justice ladybug
    liberty lollipop lovely loveme lover loverboy lovers loveyou lucky magic magical marlboro midnight miracle
    moonbeam moonlight moonshine mountaindew mystery paradise peace peaches pepsi pineapple platinium platinum
    popcorn precious prince princess pumpkin rainbow raspberry redbull sapphire savior serenity silver skittles
    smile smiley smirnoff snickers snowball snowbird snowboard snowflake snowman stardust starlight strawberry
    sunday sunflower sunrise sunset sunshine sweetheart sweetie sweetness sweetpea sweety tequila together treasure
    twilight vanilla whiskey wonder wonderful
    aardvark alligator animal animals april armadillo august autumn avalanche baboon badger badgers barracuda beagle
    bearcats beetle blackbird blackcat blizzard bluebird bobcat bronco broncos buffalo bulldog bulldogs bulls bunny
    cardinal cardinals catfish cheetah chihuahua chimpanzee chipmunk cobra cougar cougars crocodile daisy dalmatian
    december desert dinosaur doberman dolphin dolphins dragon dragons eagle eagles elephant falcon falcons february
    firebird flamingo flower flowers forest friday garden gators gorilla greywolf hamster hawks hedgehog horse
    horses hummingbird hurricane island islands jaguar january july june kangaroo kitten kittens kittycat koala
    labrador ladybird lavender leopard lightning lion lioness lions lonewolf longhorn longhorns lynx magnolia march
    mockingbird monday mongoose monkey mountain mountains mushroom mustang mustangs november ocean oceans october
    octopus orchid ostrich panther panthers parrot peacock pegasus pelican penguin penguins piranha platypus pony
    poodle porcupine puppies puppy pussycat python rabbit raccoon raptor rattlesnake raven ravens redwings retriever
    river rosebud roses rottweiler saturday scorpio scorpion seagull seahorse september shark sharks shepherd snake
    spider spring squirrel stallion starfish stingray storm stormy sunfish swordfish tarantula thunder thursday
    tiger tigers tigger tornado tortoise tsunami tuesday turtle turtles typhoon unicorn violet viper volcano
    wednesday werewolf whale wildcat wildcats winter wolfgang wolfpack wolverine wolverines
    arsenal barcelona baseball basketbal basketball bayern benfica blackhawks bluedevils boxer boxing braves bruins
    buccaneers buckeyes cadillac camaro canucks cavalier celtic celtics champion champions chargers cheerlead
    cheerleader chevelle chevrolet chevy corinthians corvette cowboys cricket crimson cubs cycling davidson defender
    dodgers dortmund everton expedition explorer ferrari flamengo flyers football formula gamecocks giants
    goalkeeper golf golfer golfing gymnast harley harleydavidson hockey honda hoosiers hotspur hurricanes icehockey
    internazionale juventus karate kawasaki kickboxing knicks lacrosse lakers lamborghini leeds liverpool manchester
    manunited mapleleafs marlins maserati mets milan mitsubishi nascar newcastle nuggets packers palmeiras patriot
    patriots phillies pirates pistons playboy player playgirl porsche racer racing raiders rangers razorbacks
    realmadrid redskins redsox rockets rugby runner running sabres seminole seminoles senators silverado skateboard
    skater skating snowboarding soccer softball sooners sporting steelers striker subaru sunderland surfer surfing
    suzuki swimmer swimming taekwondo tarheels tennis tottenham toyota victory volleyball volunteers warrior
    warriors westham whitesox winner wrangler wrestler wrestling yamaha yankees
    acdc achilles aerosmith aladdin aragorn aristotle assassin assassins babylon bambi barbarian bartman bassist
    bassman batman battlefield beatles beyonce biggie blackjack blackmetal blacksabbath blink bobafett bonjovi
    britney bugsbunny caesar captain cartman casino casper catwoman charizard cinderella clarinet cleopatra coldplay
    commander conqueror conquest counterstrike crusader daffy darkness darkside darkstar darthvader deftones demon
    desperado destroy destroyer devil diablo digimon doom dracula dragonball drummer drums dumbledore einstein
    eminem enforcer enterprise executor finalfantasy frankenstein frodo galileo gandalf gangster garfield general
    ghost gladiator godfather godzilla goofy greenday guitar guitarist guitars halflife halo harrypotter hellboy
    hellfire hercules hermione hiphop hobbit hogwarts holmes homer ironmaiden ironman jackpot jedimaster jurassic
    kingkong knight knights lara lasvegas ledzeppelin legolas looney lordoftherings lucifer luigi madonna mafia
    makaveli mario matrix maverick megadeth mermaid metalgear metallica mickey mickeymouse minecraft minnie monster
    morpheus motorhead music musical musician musicman napoleon naruto neo newton ninja nirvana offspring outlaw
    paladin pantera peterpan phantom piano pikachu pinkfloyd pinocchio pirate pluto pokemon poker poohbear popeye
    predator punisher punkrock quake radiohead rammstein rebel rebellion rebels renegade resident rihanna rocknroll
    rockstar rollingstones samurai satan saxophone scarface scooby scoobydoo sergeant shadow shadows shakira
    sherlock shogun simpson simpsons sithlord skywalker slayer slipknot snoopdog snoopy socrates soldier sonic
    sorcerer southpark spartan spartans spears spiderman starcraft stargate startrek starwars stormtrooper superfly
    supergirl superior superman supernova supersonic superstar sylvester tekken terminator thuglife tinkerbell
    tombraider trinity trombone trooper trumpet trumpets tupac tweety vader vampire vanhalen viking vikings violin
    voldemort voyager warcraft warhammer warlock winnie winniethepooh wizard wizards yoda zelda zeppelin zombie
    africa america american americas amsterdam apache argentina atlanta atlantis australia bahamas bangkok
    bangladesh beijing berlin bermuda besiktas bombay boston brasil brazil brooklyn california canada cherokee
    chicago china cleveland colombia colorado comanche dakota dallas denmark denver detroit downtown eastside egypt
    england espana fenerbahce finland florida france galatasaray georgia germany geronimo hawaii highland highlander
    holland hollywood hongkong houston illinois india indiana indonesia ireland irish israel istanbul italia italy
    jamaica japan jerusalem kentucky korea lakeside lisbon london louisiana madrid malaysia manhattan maryland
    mexico miami michigan minnesota mississippi missouri montana montreal moscow munich nebraska newyork nigeria
    northside norway oklahoma oregon orlando pakistan paris pavilion pennsylvania phoenix pittsburgh poland polska
    portland portugal russia sandiego sanfrancisco scotland seattle shanghai singapore southside spain sweden sydney
    tennessee texas thailand tokyo toronto trinidad turkey ukraine vancouver venezuela vietnam washington waterloo
    westside wisconsin zealand
    abc abcd abcdef airborne aircraft airforce airplane anarchy apollo aquarius archangel armageddon artist asdf
    asdfgh asshole asteroid athena auntie avatar azerty babylove backdoor bandit barney bastard beaches beavis
    bigballs bigbird bigboobs bigboy bigcock bigdaddy bigdog bigfoot biggun bigman bigtime bigtits billybob bitch
    blackdog blackman blackout blackrose blacksheep blah blahblah blockhead blowjob blueeyes bluefish bluemoon
    bluesky bonehead boobies boogie bookworm bootsie bradford brother bubba buddy budweiser bulldozer bullseye
    bullshit burning business butter butthead butthole cannabis cannon carpenter castle celebrity century challenge
    chance chaos checkers cheese chemical chemistry chester chicken chickens chocolat chopper classic clayton
    clipper cloud clover coconut coffee college concrete connect consumer control cooldude cooper copper counter
    country courage cousin cowboy cowgirl cracker crazy creation creature cruise cyber cyclone daddy dancer dancing
    danger dangerous deadhead deadman death deeznuts defiance delight delta desire devildog dickhead dingdong direct
    discover discovery doctor dodgeram dogbert doggie doggy dollar domino dookie doughnut dragster dumbass eclipse
    electric electron elements elephants embrace emergency empire energy enigma entropy erotic escape espresso
    evergreen evolution excalibur excellent exodus experience extreme faithful fallen fantastic father fireball
    firefighter firefire fireman fishing flash flipper flying foobar foxtrot fragile freak freaky freefall freelance
    freepass freeuser frisky frosty fucker fucking fuckme fuckoff fuckyou funny funtime future galaxy gambit gateway
    gemini genesis genius goblin grandma grandpa gremlin grizzly groovy gunner hacker hamlet hammer handball
    hannibal hardcore hardrock harvest hawaiian headshot heroes hitman holiday homerun homework honest horizon
    hotdog hotgirl hotrod hotstuff hottie hunter hunting husband icecube iceman iguana illusion immortal impala
    imperial incubus independent indigo inferno insane inside inspire insurance invincible invisible jackass jackie
    jackoff jamesbond jellybean jennie jester joker journey jupiter karma killer killers kingdom kisses kissme
    knucklehead legend legends lemonade leprechaun lesbian lifeguard lifehack lonely lonestar loser lowrider lunatic
    lunchbox machine maggot magnum marijuana marine marines maryjane massacre masterbate masters matador maximus
    medical megaman memorial memories memory mercury meridian metallic meteor military millenium millennium million
    millions misfit mission mistress mobile mobydick molly mommy monarch monopoly mookie moomoo mortal mortgage
    mother motherfucker motorcycle muffin munchkin murphy mustard mylove mynoob myself nelson newlife nightmare
    nipples nonsense nuclear nugget number oblivion obsidian olympus omega onelove orange orgasm original overkill
    overlord pacific packard paintball panama pandora parker passwords patience peanut peanuts peekaboo penelope
    pentium people pepper perfect phantoms philosophy photography picasso picture pioneer pizza planet playground
    playtime poison police popsicle porkchop pornstar portal pothead powerful premier present president pretty
    problem prodigy professor property prophet protect provider psycho puppet purple pyramid quality quantum
    quicksilver qwerty qwertz radical ragnarok railroad rainbows rainman rambler randomly ranger rasputin reality
    recovery reddog redhead redrose reggae remember republic restless revenge revolution reynolds rhapsody roadkill
    roadking roadrunner rocket rockford rocknrol roller rooster rugrat rumble runaway rush safety sailor salvation
    sammy sanctuary sandman santa saturn savage schnapps school science scoobydo scooter scooters scorpions scotty
    scruffy seinfeld semperfi sexual sexy sexyboy sexygirl sexylady sexymama shaggy shamrock shelby sheriff shithead
    shitty shopping showboat showtime silence silicon silverfox sinister sister skeleton skinhead skydive slapshot
    slippery smokey smoking smooth sniffing sniper snuggles solitude solomon somebody songbird southern spanking
    spankme spanky sparkle sparky speaker special spectrum speedy spirit spitfire sputnik squirt stalker stanford
    starbuck starbucks stardog stargazer steelman stocking stoner stonewall strange stranger strength student
    sublime submarine success sucker suckit sundance sunlight superdog surprise survivor sweetgirl sylvia symphony
    syndicate tacobell tardis tarzan teacher technics teddybear telephone tempest temptress terror thankyou theater
    thebest theking theman therock thirteen thriller thumper thunderbird tiberius timberland tinker titanic titanium
    tomato tomcat toolman topdog topgun torpedo tottenha tractor training transfer traveler treble triangle tricky
    trident triumph trojan trojans trouble trucker truelove trustno trustnoone turbo twinkle twister ultimate uncle
    undertaker undertow united universe university unknown username vacation vagabond valhalla valkyrie vampires
    vanguard venture verbatim vertical vertigo victor violence vision voodoo voyeur walker wanker warlord warning
    watermelon weapon weasel webster wedding weekend whatsup wheels whiskers whistler whitney whocares wife wildcard
    wildfire wildlife wildman windsurf wireless wisdom within wolfman wombat woodland woodstock woody working
    workshop wrestle wrinkle writer xanadu xyz yamato yankee yellow yellowstone yesterday yosemite youandme zachary
    zanzibar zephyr zildjian zombies zxcvbn zxcvbnm
    aberdeen abnormal abracadabra alphabet amateurs anaconda andromeda antelope armstrong balloons beefcake bollocks
    brighton buckshot budapest caligula capricorn capslock carnival carpediem casanova cerberus chainsaw charlton
    cheshire chrysler classics claymore clippers clitoris coltrane commando concorde coolness corleone cosworth
    coventry creampie deadpool deepthroat designer dilligaf dominion drowssap duchess dutchess dynamite earnhardt
    eldorado ericsson everlast fandango fantomas farscape fearless firewall flexible flounder forsaken freckles
    frontier fuckface gameover gangbang gargoyle gatorade getmoney godsmack goldstar goodtime guardian hayabusa
    highbury honolulu hooligan hyperion icehouse idontknow ihateyou infiniti insomnia inspiron intrepid intruder
    irishman islander jayhawks jefferson johannes johndeere justdoit kamikaze kenworth keystone kingston knickers
    knuckles lancelot leavemealone lesbians lovelife magician majestic mandarin marathon mariners marseille matthias
    mechanic megatron mephisto microphone mischief monalisa mortimer nautilus netscape operator palmtree papillon
    paradigm pasadena pearljam penthouse pharmacy pipeline plymouth poseidon preacher presario pringles pumpkins
    raistlin reckless remington revolver rightnow roadster robotech robotics runescape salamander saratoga sausages
    scrabble seahawks sentinel sidekick slowhand smashing sneakers soulmate splinter spongebob sprinter starship
    stonecold syncmaster syracuse talisman tazmania terrapin thanatos thegreat threesome titleist tomahawk
    translator umbrella underdog vendetta viewsonic violetta volkswagen whiteout wishbone zerocool
    abrakadabra alessandra alessandro aloha amorcito amour anastasiya andrey anhyeuem barselona bonjour borussia
    caliente carlitos chouchou contrasena contraseña corazon doudou elizaveta estrella evangelion geheim haslo heslo
    hola inter inuyasha jetaime kakashka karolina kazantip kleopatra konnichiwa konstantin koroleva krasotka
    lokomotiv loulou lubov lyubov maksim maksimka maradona mariposa mazafaka millwall motdepasse parola piramida
    princesa privet romashka sakura salasana schatz senha sifre skorpion soleil solnce solnishko spartak stanislav
    teamo tequiero vasilisa viktoria viktoriya vkontakte vladislav wachtwoord woaini
    """.split()  # noqa: SIM905
)
"""What people call a password, first names, what they love, animals, sports, films, places; in small letters."""

SHORT: Final = frozenset(
    """
    ace air all apple arm art ass baby back bad ball band bar bare bat beach bean bear beef beer best big billy bird
    bitch black block blood blow blue board bob body bomb bone book boot boy brain break bull bunny burn bus butt
    cake camp candy cap car card cash cat chain chick chris club coal coat cock cold cool corn cow crazy crew cunt
    cup cutie daddy dark day dead deal death deep deer devil dick dirt dirty doctor dog doll donkey dope down dream
    drive duck dude dumb dust eagle ear earth east easy eat evil eye face fair fall fan farm fast fat fear field
    fight fire first fish five flash flow fly food foot force forest four fox freak free fresh frog fruit fuck full
    fun game gang gate get ghost girl glass go goat god gold golf good grand great green grey gun guy hair hand
    happy hard hat hate hawk head heart heat heaven hell high hill hip hit hole holy home honey hood horn horse hot
    hound house ice iron jack jam james jay jelly jet job joe john joy jump just justin key kick kid kill king kiss
    kitty lady lake land last law lead leaf life light line lion lite little live lock lone long look lord lost love
    low luck lucky mac mad magic maiden mail man mark mary master math max me meat mega mice milk mind mine mix mom
    money monkey monster moon more mother motor mountain mouse mouth movie mr my name neck net never new news nice
    night nine nose not nut nuts old one only out over own oyster pac paint pal palm pan party pass path pay pea
    pearl peg pen penis pet pie pig pimp pin pine ping pink pipe pit play poo pool pop port post pot power pro pussy
    quick race rain ram rap rat raw real red rich ride right ring road robin rock rod roll roof room root rose row
    rub rug run sad safe sail salt sam sand saw screen sea seed set seven sex sexy sheep shell shine ship shirt shit
    shoe shop short shot show side silver sin sing sister six skin sky slam slap sleep slim slow small smart smoke
    snake snow soft soldier son song soul sound south space speed spring stable star state stay steel step stick
    stock stone stop storm street strong style sub suck sugar sun super surf sweet sword tail talk tall tank tar tea
    team ten test the thing think three tiger time tit toad tom tool top tough town toy trail train tree trick truck
    true trust tuna turn two ugly under up van vice virgin wagon walk wall war water wave way weed well west wet
    wheel white whore wild will win wind wine wing wise wolf woman wonder wood word work world worm yard year yellow
    you young zero zone
    """.split()  # noqa: SIM905
)
"""Everyday words of which people put two together."""

TYPED: Final = frozenset(
    """
    .kbz asdfgh bhbyf bynthytn cdtnkfyf cfvceyu cgfhnfr cjkywt cnfybckfd cthutq dbnfkbq dbrnjhbz dfcbkbq dfkthbq
    dfktynbyf dkflbckfd dkflbvbh dthjybrf dzxtckfd erhfbyf fhctybq fkbyf fktrcfylh fktrctq flvby fyfcnfcbz fylhtq
    fynjybyf gfhjkm gfhjkm1 ghbdtn ghbywtccf ghjnjrjk ghjtrn ghtpbltyn gjkbyf hf,jnf hjccbz hjcnbckfd jkmuf jrcfyf
    k.,bvfz k.,bvsq k.,jdm k.lvbkf kfhbcf l;trcjy lbfyf lhfrjy ltybc lvbnhbq nbvjatq nfnmzyf pfhgkfnf pfqxbr ptybn
    qwerty rbtd rfdrfp rfgbnfy rfhbyf rfhnjirf rhbcnbyf rhjrjlbk rjhjktdf rjntyjr rjvgm.nth rjycnfynby tdutybq
    tdutybz tktyf trfnthbyf ufkbyf uhbujhbq utjhubq vb[fbk vfhbyf vfhufhbnf vfibyf vfrcbv vjcrdf ybrjkfq yflt;lf
    yfnfif
    """.split()  # noqa: SIM905
)
"""Russian words typed while the keyboard wrote Latin letters."""
