"""The words by which columns are known, and the names of units, as found in the wild.

Meanings are groups of words, parted by blanks; the words of one group, joined by ``+``, must all
stand in a name. English, Korean, German, French, Spanish, Portuguese, Italian, Dutch, Japanese and
Chinese, KMA's short names, and those of loggers; accents do not count. Of meanings that explain a
name equally well the first one here wins.
"""

from __future__ import annotations

from typing import Final

MEANINGS: Final[dict[str, str]] = {
    "temperature": (
        "ta temp temperature temperatur temperatures tmp tair tmpf tmpc drybulb airtemp "
        "lufttemperatur outtemp tempout tempf tempc t2m 기온 tt air+t temperatura temperaturas "
        "temperatuur luchttemperatuur 온도 気温 气温 温度 t1h air+tc tdry dry+bulb"
    ),
    "dew point": (
        "dewp dewpoint dwpf dwpc td dew taupunkt taupunkttemperatur rosee 이슬점온도 이슬점 "
        "tdew dwp rocio punto+rocio point+rosee 노점온도 노점 露点 露点温度"
    ),
    "humidity": (
        "hm humid humidity rh relh relhum hum reh humidite hygro feuchte luftfeuchte "
        "luftfeuchtigkeit rf outhumidity 습도 상대습도 humedad humi umidade umidita vochtigheid "
        "luchtvochtigheid rhum 湿度 相对湿度 相対湿度"
    ),
    "pressure": (
        "pa pressure press pres baro barometer bp stnpres luftdruck druck pression qfe 현지기압 "
        "기압 station+pressure prs presion pressao pressione luchtdruk pres+stn 気圧 气压 "
        "現地気圧"
    ),
    "sea-level pressure": (
        "ps slp mslp qff qnh alti msl 해면기압 sea+level sea+pressure pressure+msl press+msl "
        "sealevel altimeter pmer slpres pression+mer 海面気圧"
    ),
    "wind direction": (
        "wd wdir wind+dir wind+direction winddir winddirection drct dd 풍향 direction "
        "windrichtung richtung vent+direction wind+deg vec dir direccion+viento direcao+vento "
        "direzione+vento wind+dir+avg wind+direction+avg wind+dir+mean 風向 风向"
    ),
    "gust": (
        "gst gust wgst wgust windgust gusts wind+gust gust+speed fx böe böen boe rafale peak "
        "ws+gst wind+peak wind+max ws+max 최대순간풍속 순간최대풍속 돌풍 racha rajada raffica "
        "windstoot wind+speed+max wind+gust+max 最大瞬間風速"
    ),
    "gust direction": (
        "wd+gst gust+dir gust+direction wd+max gustdir 최대순간풍향 wind+dir+max wind+dir+gust"
    ),
    "wind speed": (
        "ws wspd wind+speed windspeed sknt ff 풍속 windgeschwindigkeit wind+avg wind+mean "
        "wind+velocity vent+vitesse speed windstärke wind wsd wdsp spd wind+spd "
        "velocidad+viento velocidade+vento velocita+vento windsnelheid velocidad velocidade "
        "風速 风速"
    ),
    "rain": (
        "rn rain rainfall precip precipitation prcp pcp pcpn niederschlag regen pluie rr ppt "
        "강수량 강우량 강수 tip rain+mm rn+hr1 rn+60m precipitacion precipitaciones "
        "precipitations lluvia chuva precipitacao pioggia precipitazione neerslag rn1 강우 우량 "
        "降水量 降水 雨量"
    ),
    "daily rain": (
        "rn+day rain+day daily+rain rain+daily dayrain raintoday precip+day daily+precip "
        "일강수량 누적강수량 rain+total rain+accum precip+accum rain+cum rain+since rain+today "
        "rn+acc rainfall+today rain+24h precip+total"
    ),
    "not mapped": (
        "soil p+temp ground grass surface snow radiation solar rad uv visibility visib vis "
        "cloud battery voltage volt panel chill apparent feels index evapo et sunshine "
        "lightning leaf water wetbulb wet+bulb 적설 일사 일조 지면온도 초상온도 전운량 시정 "
        "지중온도 rain+rate rainrate intensity rn+yn rain+yn ceiling std stddev sigma internal "
        "inside indoor board logger+temp enclosure cpu heat 강수유무 ta+max ta+min temp+max "
        "temp+min max+temp min+temp hm+min max temperature+max temperature+min boden erdboden "
        "bodentemperatur erdbodentemperatur wassertemperatur suelo solo radiacion strahlung "
        "globalstrahlung rayonnement sicht sichtweite visibilite nuages neige schnee nieve icsr "
        "pm10 pm25 co2 ozone disk memory 최고기온 최저기온 토양온도 수온 노면온도 실효습도"
    ),
    "station": (
        "origin station stn stnid stationid site siteid location stid wmo wban icao statnr "
        "stnno 지점 지점번호 관측소 관측지점 poste stations+id 지점코드 stationnr stationsnr "
        "stations+nr estacion estacao stazione indicativo numer+sta stations sites postes "
        "stationen estaciones stazioni platform 観測所 地点番号 観測所番号 地点 站号"
    ),
    "station name": (
        "stationname stnnm station+name site+name stn+name stn+nm 지점명 관측소명 stn+ko "
        "stn+kor nombre+estacion"
    ),
    "sensor": (
        "sensor sensorid instrument channel device probe transducer 센서 sensor+number "
        "messgerät kanal capteur"
    ),
    "code": (
        "element elem param parameter variable var varname quantity obs+type sensor+type "
        "measurement+type metric kind type item 요소 관측요소 messgröße obs+code property parm"
    ),
    "value": (
        "value val obs+value measurement reading result wert valeur 값 측정값 관측값 messwert v "
        "data+value num+value"
    ),
    "unit": "unit units uom einheit unite 단위",
    "position": "position pos sensor+no sensor+nr nth replicate seq+no instance",
    "flag": "flag quality qc qf qcflag status flags qual 품질 qn quality+code valid",
    "time": (
        "time datetime timestamp tm ts observed obs+time obstime observation+time dt date+time "
        "일시 관측시각 관측일시 관측시간 valid+time validtime date+utc dateutc sampled measured "
        "recorded logged messzeit mess+datum zeitpunkt horodatage reading+time time+hour "
        "observation+date obs+date obsdatetime tmfc zeitstempel epoch unixtime fecha+hora "
        "date+heure 日時 観測時刻 时间 when"
    ),
    "date": (
        "date day ymd obsdate 일자 날짜 관측일자 관측일 datum tag yyyymmdd jour fecha giorno "
        "dia dy 日付 日期"
    ),
    "clock": (
        "hour hhmm hh hr 시각 시간 uhrzeit heure clock zeit obshour time+day hh24 stunde hora "
        "ora 時刻 obs+hm obs+hhmm"
    ),
    "year": "year yr yyyy 연도 년 jahr annee ano año anio",
    "month": "month mon mo 월 monat mois mes",
    "minute": "minute minutes 분 mn mi mins",
    "modified": (
        "modified modify updated update changed created inserted insert ingested loaded "
        "received arrival upd+dt upd+dtm mod+dt mod+date ins+dt reg+dt reg+date regdt "
        "last+update upd lastmodified change+date sys+time 등록일시 수정일시 geändert etl "
        "write+time rec+tm modif modification modificado actualizado aktualisiert mod+dttm "
        "upd+dttm reg+dttm rgst 更新日時 登録日時"
    ),
    "version": "rowversion row+version rv rowver",
    "id": "id seq rowid recid row+id record+id record sn pk idx no nr num 번호 일련번호",
    "latitude": "lat latitude 위도 breite y latitud latitudine tm+y northing 緯度 纬度",
    "longitude": (
        "lon lng long longitude 경도 länge x longitud longitudine tm+x easting 経度 经度"
    ),
    "crs": "crs srid epsg",
    "elevation": (
        "elevation elev altitude alt height+asl 고도 해발고도 해발 höhe z stationshöhe altitud "
        "altitudine hohe 標高 海拔"
    ),
    "height": "height hgt agl 높이 height+agl mount",
    "name": "name nm nam 이름 bezeichnung nom description nombre nome",
    "wigos": "wigos wigosid wsi",
    "model": "model maker product modell modele 모델",
    "serial": "serial serialno sernum seriennummer",
    "valid from": (
        "valid+from validfrom start+date from begin start installed install von since date+from"
    ),
    "valid to": "valid+to validto end+date to until end removed bis date+to",
    "scale": "scale gain slope factor multiplier coef coefficient",
    "offset": "offset bias intercept offset+value",
}
"""What a column may mean, and the groups of words that say so."""

# Names of one letter, or that mean much elsewhere, say little.
WEAK: Final = {
    "v", "x", "y", "z", "no", "nr", "to", "from", "end", "start", "type", "kind", "item", "day",
    "data", "peak", "speed", "direction", "press", "time", "tip", "status", "valid", "sn", "num",
    "wind", "since", "begin", "until", "record", "rad", "index", "max", "tt", "dd", "ff", "fx",
    "rr", "rf", "origin",
    "update", "insert", "long", "dt", "dir", "spd", "vec", "dy", "mi", "mn", "solo", "mes", "when",
    "dia", "ora", "velocidad", "velocidade", "location", "result", "reading", "measurement",
}  # fmt: skip
ATTRIBUTES: Final = {
    "id", "flag", "flags", "qc", "qf", "quality", "status", "code", "unit", "units", "cnt", "count",
    "err", "error", "std", "stddev", "yn", "flg", "type", "name",
}  # fmt: skip
"""Last words of names that tell something about a measure, and do not hold it: TA_QC, temp_id."""
LETTERS: Final = {
    "t": "temperature", "u": "humidity", "p": "pressure", "p0": "pressure", "h": "humidity",
    "vv": "not mapped", "pn": "sea-level pressure",
}  # fmt: skip
"""What single letters stand for, as in SYNOP and METAR; they count only in company."""
UNITS: Final[dict[str, str]] = {
    "degf": "degF", "f": "degF", "fahrenheit": "degF", "degc": "degC", "c": "degC",
    "celsius": "degC", "kelvin": "K", "k": "K", "°c": "degC", "°f": "degF", "℃": "degC",
    "℉": "degF", "ms": "m/s", "mps": "m/s", "m/s": "m/s", "kmh": "km/h", "kph": "km/h",
    "km/h": "km/h", "mph": "mph", "kt": "kt", "kts": "kt", "kn": "kt", "knots": "kt",
    "knot": "kt", "hpa": "hPa", "mb": "mbar", "mbar": "mbar", "millibar": "mbar", "pa": "Pa",
    "kpa": "kPa", "inhg": "inHg", "mmhg": "mmHg", "mm": "mm", "millimeter": "mm", "cm": "cm",
    "in": "in", "inch": "in", "inches": "in", "%": "%", "percent": "%", "pct": "%",
    "deg": "degree", "degree": "degree", "degrees": "degree", "°": "degree", "torr": "mmHg",
    "mil": "mil", "mils": "mil", "0.1mm": "0.1mm", "m s-1": "m/s", "m/sec": "m/s", "in hg": "inHg",
    "deg c": "degC", "deg f": "degF", "degrees c": "degC", "degrees f": "degF", "km h": "km/h",
    "deg_c": "degC", "deg_f": "degF", "mm hg": "mmHg", "grad": "degree",
}  # fmt: skip
WHOLE_NAME_UNITS: Final = {"tmpf": "degF", "tmpc": "degC", "sknt": "kt", "tempf": "degF",
                            "tempc": "degC"}  # fmt: skip
